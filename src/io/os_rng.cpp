#include "io/os_rng.hpp"

#include <array>
#include <errno.h>
#include <sys/random.h>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace meshstow::io {
namespace {

void fill_from_system(MutableByteView out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    MESHSTOW_CHECK(got > 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

class Reserve {
 public:
  static constexpr std::size_t kLargest = 64;  // bytes of one taking

  Reserve() = default;
  ~Reserve() { crypto::wipe(bytes_); }
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  void take(MutableByteView out) {
    if (left_ < out.size()) {
      fill_from_system(bytes_);
      left_ = bytes_.size();
    }
    const MutableByteView given = MutableByteView(bytes_).subspan(left_ - out.size(), out.size());
    std::copy(given.begin(), given.end(), out.begin());
    crypto::wipe(given);
    left_ -= out.size();
  }

 private:
  std::array<Byte, 256> bytes_{};  // as much as getrandom() gives in one piece
  std::size_t left_ = 0;
};

}  // namespace

void OsRng::fill(MutableByteView out) {
  thread_local Reserve reserve;
  if (out.size() <= Reserve::kLargest) return reserve.take(out);
  fill_from_system(out);
}

}  // namespace meshstow::io
