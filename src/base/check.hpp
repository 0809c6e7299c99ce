// base/check.hpp: checks of our own invariants. A failed check is a bug of ours and ends the
// process; input never reaches one.
#pragma once

namespace meshstow::base {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define MESHSTOW_CHECK(condition)                                     \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::meshstow::base::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
