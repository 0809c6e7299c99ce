#include "token_source.hpp"

#include <cstdlib>

#include "base/limits.hpp"
#include "input_file.hpp"

namespace meshstow::app {
namespace {

constexpr std::size_t kTokenFile = 4 * limits::kTokenText;  // with white space around it

tl::expected<std::string, std::string> read_token(const std::string& file) {
  InputFile input;
  if (auto opened = input.open(file); !opened) return tl::unexpected(opened.error());
  std::string text;
  Bytes piece(kTokenFile);
  while (text.size() <= kTokenFile) {
    const auto count = input.read(piece);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) break;
    text += base::as_text(ByteView(piece).first(*count));
  }
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin != std::string::npos) {
    text = text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
    if (text.size() <= limits::kTokenText && text.find_first_of(kSpace) == std::string::npos) {
      return text;
    }
  }
  return tl::unexpected((file == "-" ? "standard input" : file) + " holds no token");
}

}  // namespace

tl::expected<std::string, std::string> find_token(const std::string& given,
                                                  const std::string& file) {
  if (!given.empty()) return given;
  if (!file.empty()) return read_token(file);
  const char* set = std::getenv("MESHSTOW_TOKEN");
  return set == nullptr ? std::string() : std::string(set);
}

}  // namespace meshstow::app
