#include "codec/civil_time.hpp"

#include <algorithm>

namespace meshstow::codec {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

WallTime midnight(std::chrono::year_month_day date) {
  return WallTime{sys_days{date}.time_since_epoch()};
}

}  // namespace

CivilTime civil_time(WallTime wall) {
  const WallTime first = midnight(std::chrono::year{0} / 1 / 1);
  const WallTime last = midnight(std::chrono::year{10000} / 1 / 1) - microseconds{1};
  const WallTime inside = std::clamp(wall, first, last);

  const auto day = std::chrono::floor<days>(inside.time_since_epoch());
  const std::chrono::year_month_day date{sys_days{day}};
  const std::chrono::hh_mm_ss time{inside.time_since_epoch() - day};
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<unsigned>(date.month()),
          .day = static_cast<unsigned>(date.day()),
          .hour = static_cast<unsigned>(time.hours().count()),
          .minute = static_cast<unsigned>(time.minutes().count()),
          .second = static_cast<unsigned>(time.seconds().count()),
          .microsecond = static_cast<unsigned>(time.subseconds().count()),
          .weekday = std::chrono::weekday{sys_days{day}}.c_encoding()};
}

std::optional<WallTime> wall_time(const CivilTime& civil) {
  const std::chrono::year_month_day date{
      std::chrono::year{civil.year}, std::chrono::month{civil.month}, std::chrono::day{civil.day}};
  if (!date.ok() || civil.hour > 23 || civil.minute > 59 || civil.second > 59) return std::nullopt;
  return midnight(date) + hours{civil.hour} + minutes{civil.minute} + seconds{civil.second} +
         microseconds{civil.microsecond};
}

}  // namespace meshstow::codec
