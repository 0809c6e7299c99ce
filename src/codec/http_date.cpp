#include "codec/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "codec/civil_time.hpp"

namespace meshstow::codec {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBetween = " ,-:";
  std::vector<std::string_view> words;
  for (std::size_t at = 0;;) {
    const std::size_t begin = text.find_first_not_of(kBetween, at);
    if (begin == std::string_view::npos) return words;
    at = std::min(text.find_first_of(kBetween, begin), text.size());
    words.push_back(text.substr(begin, at - begin));
  }
}

std::optional<unsigned> number(std::string_view digits) {
  unsigned out = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, out);
  if (digits.size() > 4 || error != std::errc() || stop != end) return std::nullopt;
  return out;
}

}  // namespace

std::string format_http_date(WallTime wall) {
  static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                         "Thu", "Fri", "Sat"};
  const CivilTime civil = civil_time(wall);
  std::string out;
  out.reserve(29);
  const auto add = [&out](std::string_view before, unsigned number) {
    out += before;
    out += static_cast<char>('0' + number / 10 % 10);
    out += static_cast<char>('0' + number % 10);
  };
  const auto year = static_cast<unsigned>(civil.year);
  out += kDays[civil.weekday];
  add(", ", civil.day);
  out += ' ';
  out += kMonths[civil.month - 1];
  add(" ", year / 100);
  add("", year % 100);
  add(" ", civil.hour);
  add(":", civil.minute);
  add(":", civil.second);
  return out += " GMT";
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  std::vector<std::string_view> words = words_of(text);
  // "Sun Nov  6 08:49:37 1994" becomes the order of "Sunday, 06-Nov-94 08:49:37 GMT".
  if (words.size() == 7) {
    words = {words[0], words[2], words[1], words[6], words[3], words[4], words[5], "GMT"};
  }
  if (words.size() != 8 || words[7] != "GMT") return std::nullopt;
  const auto month = std::ranges::find(kMonths, words[2]);
  const auto day = number(words[1]);
  const auto year = number(words[3]);
  const auto hour = number(words[4]);
  const auto minute = number(words[5]);
  const auto second = number(words[6]);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const bool is_short = words[3].size() == 2;
  CivilTime civil;
  civil.year = static_cast<int>(*year) + (is_short ? (*year < 70 ? 2000 : 1900) : 0);
  civil.month = static_cast<unsigned>(month - kMonths.begin()) + 1;
  civil.day = *day;
  civil.hour = *hour;
  civil.minute = *minute;
  civil.second = *second;
  return wall_time(civil);
}

}  // namespace meshstow::codec
