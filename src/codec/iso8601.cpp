#include "codec/iso8601.hpp"

#include <array>
#include <cstdio>

#include "codec/civil_time.hpp"

namespace meshstow::codec {
namespace {

constexpr std::string_view kForm = "0000-00-00T00:00:00";
constexpr std::size_t kFractionDigits = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits stand where kForm has a zero, and everything else stands as it is.
bool has_form(std::string_view text) {
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == '0' ? !is_digit(text[i]) : text[i] != kForm[i]) return false;
  }
  return true;
}

unsigned number_at(std::string_view text, std::size_t at, std::size_t digits) {
  unsigned out = 0;
  for (char digit : text.substr(at, digits)) out = 10 * out + static_cast<unsigned>(digit - '0');
  return out;
}

}  // namespace

Result<WallTime> parse_iso8601(std::string_view text) {
  const auto wrong = fail(Errc::malformed, "timestamp");
  if (!has_form(text.substr(0, kForm.size()))) return wrong;
  CivilTime civil{.year = static_cast<int>(number_at(text, 0, 4)),
                  .month = number_at(text, 5, 2),
                  .day = number_at(text, 8, 2),
                  .hour = number_at(text, 11, 2),
                  .minute = number_at(text, 14, 2),
                  .second = number_at(text, 17, 2)};
  text.remove_prefix(kForm.size());
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    std::string fraction;
    while (fraction.size() < text.size() && is_digit(text[fraction.size()])) {
      fraction += text[fraction.size()];
      if (fraction.size() > kFractionDigits) return wrong;
    }
    if (fraction.empty()) return wrong;
    text.remove_prefix(fraction.size());
    fraction.resize(6, '0');
    civil.microsecond = number_at(fraction, 0, 6);
  }
  if (text != "Z" && text != "+00:00") return wrong;
  const auto wall = wall_time(civil);
  if (!wall) return wrong;
  return *wall;
}

std::string format_iso8601(WallTime wall) {
  const CivilTime civil = civil_time(wall);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02u:%02u:%02u.%06uZ", civil.year,
                civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.microsecond);
  return out.data();
}

}  // namespace meshstow::codec
