#include "io/body_spool.hpp"

#include <algorithm>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.hpp"
#include "crypto/cipher.hpp"
#include "io/disk_room.hpp"

namespace meshstow::io {
namespace {

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kSealedBlock = kBlock + crypto::kAeadTag;

// Where the file system has no nameless files, the name is taken away at once.
FileHandle open_nameless(const std::filesystem::path& directory) {
  const int made = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (made >= 0) return FileHandle(made);
  std::string name = (directory / ".spool-XXXXXX").string();
  FileHandle named(::mkostemp(name.data(), O_CLOEXEC));
  if (named) ::unlink(name.c_str());
  return named;
}

off_t place_of(std::uint64_t block) { return static_cast<off_t>(block * kSealedBlock); }

// Each block is sealed once under the key of its file.
crypto::AeadNonce nonce_of(std::uint64_t block) {
  Bytes nonce(crypto::kAeadNonce - sizeof block);
  base::append_big_endian(nonce, block);
  return crypto::AeadNonce::prefix_of(nonce);
}

}  // namespace

std::uint64_t BodySpool::in_file() const { return blocks_ * kBlock; }

FileResult<void> BodySpool::append(ByteView piece) {
  if (piece.size() > limits::kDocument - size()) {
    return tl::unexpected(std::string("the document is too large"));
  }
  base::append(memory_, piece);
  return memory_.size() > limits::kSpoolMemory ? write_out() : FileResult<void>();
}

FileResult<void> BodySpool::write_out() {
  const auto disk = probe_disk(directory_);
  disk_full_ = disk && disk->room() < memory_.size();
  if (disk_full_) {
    return tl::unexpected("the disk of " + directory_.string() + " has no room for it");
  }
  if (!file_) {
    file_ = open_nameless(directory_);
    rng_.fill(key_.writable());
  }
  if (!file_) return tl::unexpected(file_error("write in", directory_));
  std::size_t written = 0;
  for (; memory_.size() - written >= kBlock; written += kBlock) {
    if (auto sealed = write_block(ByteView(memory_).subspan(written, kBlock)); !sealed) {
      return sealed;
    }
  }
  memory_.erase(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(written));
  return {};
}

FileResult<void> BodySpool::write_block(ByteView plain) {
  const Bytes sealed = crypto::aead_seal(key_, nonce_of(blocks_), {}, plain);
  for (std::size_t done = 0; done < sealed.size();) {
    const ssize_t count = ::pwrite(file_.get(), sealed.data() + done, sealed.size() - done,
                                   place_of(blocks_) + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    disk_full_ = count < 0 && (errno == ENOSPC || errno == EDQUOT);
    if (count < 0) return tl::unexpected(file_error("write in", directory_));
    done += static_cast<std::size_t>(count);
  }
  ++blocks_;
  return {};
}

FileResult<Bytes> BodySpool::read_block(std::uint64_t number) const {
  Bytes sealed(kSealedBlock);
  for (std::size_t done = 0; done < sealed.size();) {
    const ssize_t count = ::pread(file_.get(), sealed.data() + done, sealed.size() - done,
                                  place_of(number) + static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return tl::unexpected(file_error("read back from", directory_));
    done += static_cast<std::size_t>(count);
  }
  auto plain = crypto::aead_open(key_, nonce_of(number), {}, sealed);
  if (!plain) return tl::unexpected("what was put aside in " + directory_.string() + " is damaged");
  return std::move(*plain);
}

FileResult<Bytes> BodySpool::read(std::uint64_t offset, std::size_t size) const {
  Bytes out;
  offset = std::min(offset, this->size());
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, this->size() - offset));
  while (out.size() < size && offset < in_file()) {
    const auto block = read_block(offset / kBlock);
    if (!block) return tl::unexpected(block.error());
    const auto part = ByteView(*block).subspan(static_cast<std::size_t>(offset % kBlock));
    base::append(out, part.first(std::min(part.size(), size - out.size())));
    offset = std::min((offset / kBlock + 1) * kBlock, in_file());
  }
  if (out.size() < size) {
    base::append(out, ByteView(memory_).subspan(static_cast<std::size_t>(offset - in_file()),
                                                size - out.size()));
  }
  return out;
}

}  // namespace meshstow::io
