// Any text as a config file: what the parser accepts says the same again when it is written anew
// with everything in quotes.
#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/config.hpp"

namespace meshstow {
namespace {

using codec::ConfigSection;

// Writes a section; `writable` turns false at a text that holds both kinds of quotes.
class Writer {
 public:
  void section(const ConfigSection& section, std::size_t depth) {
    for (const auto& [key, text] : section.values) {
      quoted(key);
      out_ += " = ";
      if (const auto items = section.lists.find(key); items != section.lists.end()) {
        list(items->second);
      } else {
        quoted(text);
      }
      out_ += '\n';
    }
    for (const ConfigSection& sub : section.subsections) {
      out_ += std::string(depth, '[');
      quoted(sub.name);
      out_ += std::string(depth, ']') + '\n';
      this->section(sub, depth + 1);
    }
  }

  [[nodiscard]] bool writable() const { return writable_; }
  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  void quoted(const std::string& text) {
    const char quote = text.find('"') == std::string::npos ? '"' : '\'';
    if (text.find(quote) != std::string::npos) writable_ = false;
    out_ += quote + text + quote;
  }

  void list(const std::vector<std::string>& items) {
    for (const std::string& item : items) {
      quoted(item);
      out_ += ',';
    }
    if (items.empty()) out_ += ',';
  }

  std::string out_;
  bool writable_ = true;
};

// The text of a list is as written, and so differs; everything else must not.
bool same(const ConfigSection& a, const ConfigSection& b) {
  if (a.name != b.name || a.lists != b.lists || a.values.size() != b.values.size()) return false;
  for (const auto& [key, text] : a.values) {
    if (!b.values.contains(key) || a.list(key) != b.list(key)) return false;
    if (!a.lists.contains(key) && b.text(key) != text) return false;
  }
  return std::ranges::equal(a.subsections, b.subsections, same);
}

}  // namespace
}  // namespace meshstow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshstow;
  const std::string_view text = base::as_text(ByteView(data, size));
  const auto config = codec::parse_config(text);
  if (!config) {
    MESHSTOW_CHECK(config.error().line > 0 && *config.error().what != '\0');
    return 0;
  }
  Writer writer;
  writer.section(*config, 1);
  if (writer.writable() && writer.text().size() <= limits::kConfigFile) {
    const auto again = codec::parse_config(writer.text());
    MESHSTOW_CHECK(again && same(*config, *again));
  }
  return 0;
}
