#include "io/os_rng.hpp"

#include <errno.h>
#include <sys/random.h>

#include "base/check.hpp"

namespace meshstow::io {

void OsRng::fill(MutableByteView out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    MESHSTOW_CHECK(got > 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace meshstow::io
