#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace meshstow::base {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "meshstow: check failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace meshstow::base
