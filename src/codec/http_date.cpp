#include "codec/http_date.hpp"

#include <array>
#include <cstdio>

#include "codec/civil_time.hpp"

namespace meshstow::codec {

std::string format_http_date(WallTime wall) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime civil = civil_time(wall);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02u %s %04d %02u:%02u:%02u GMT", kDays[civil.weekday],
                civil.day, kMonths[civil.month - 1], civil.year, civil.hour, civil.minute,
                civil.second);
  return out.data();
}

}  // namespace meshstow::codec
