// codec/civil_time.hpp: a wall time as a date and a time of day in UTC. Internal to src/codec.
#pragma once

#include <optional>

#include "base/time.hpp"

namespace meshstow::codec {

struct CivilTime {
  int year = 1970;  // 0 to 9999, what four digits can say
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  unsigned microsecond = 0;
  unsigned weekday = 4;  // 0 is Sunday; not read by wall_time()
};

// Times outside the years 0 to 9999 become the nearest one inside.
CivilTime civil_time(WallTime wall);

// nullopt unless the day exists and the time of day is below 24:00:00 (no leap seconds).
std::optional<WallTime> wall_time(const CivilTime& civil);

}  // namespace meshstow::codec
