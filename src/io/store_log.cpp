#include "io/store_log.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMagic = 0x377F0682;  // the last bit: checksums over big-endian words
constexpr std::size_t kHead = 32;
constexpr std::size_t kFrameHead = 24;
constexpr std::size_t kLargestPage = 65536;
constexpr const char* kLostName = "-wal.damaged";

std::uint32_t number(ByteView bytes, std::size_t at) {
  return static_cast<std::uint32_t>(base::read_big_endian(bytes.subspan(at, 4)));
}

class Checksum {
 public:
  explicit Checksum(bool big_endian) : big_endian_(big_endian) {}
  void add(ByteView words) {
    for (std::size_t at = 0; at + 8 <= words.size(); at += 8) {
      first_ += word(words, at) + second_;
      second_ += word(words, at + 4) + first_;
    }
  }
  [[nodiscard]] bool stands_at(ByteView bytes, std::size_t at) const {
    return number(bytes, at) == first_ && number(bytes, at + 4) == second_;
  }

 private:
  [[nodiscard]] std::uint32_t word(ByteView bytes, std::size_t at) const {
    const std::uint32_t value = number(bytes, at);
    return big_endian_ ? value : __builtin_bswap32(value);
  }
  bool big_endian_;
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

bool read_exactly(std::ifstream& file, MutableByteView out) {
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  return static_cast<std::size_t>(file.gcount()) == out.size();
}

}  // namespace

std::uint32_t whole_log_pages(const fs::path& store) {
  std::ifstream file(store.string() + "-wal", std::ios::binary);
  std::array<Byte, kHead> head{};
  if (!read_exactly(file, head) || (number(head, 0) & ~1U) != kMagic) return 0;
  const std::size_t page = number(head, 8);
  if (page < 512 || page > kLargestPage) return 0;
  Checksum checksum((number(head, 0) & 1U) != 0);
  checksum.add(ByteView(head).first(24));
  if (!checksum.stands_at(head, 24)) return 0;
  Bytes frame(kFrameHead + page);
  std::uint32_t whole = 0;
  for (std::uint32_t count = 1; read_exactly(file, frame); ++count) {
    const ByteView bytes = frame;
    if (!std::ranges::equal(bytes.subspan(8, 8), ByteView(head).subspan(16, 8))) break;  // salts
    checksum.add(bytes.first(8));
    checksum.add(bytes.subspan(kFrameHead));
    if (!checksum.stands_at(bytes, 16)) break;
    if (number(bytes, 4) != 0) whole = count;  // ends a commit
  }
  return whole;
}

StoreLogMark::StoreLogMark(const fs::path& store) : path_(store.string() + "-mark") {
  const auto bytes = read_file(path_, 4);
  if (bytes && bytes->size() == 4) noted_ = number(*bytes, 0);
}

void StoreLogMark::note(std::uint32_t pages) {
  if (pages == noted_) return;
  noted_ = pages;
  constexpr int kHow = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  if (!file_) file_ = FileHandle(::open(path_.c_str(), kHow, 0600));
  Bytes bytes;
  base::append_big_endian(bytes, pages);
  // Where it cannot be written, a loss goes unnoticed; what is stored is stored.
  (void)(::pwrite(file_.get(), bytes.data(), bytes.size(), 0) == std::ssize(bytes));
  // A mark of the log before, come back after a power cut, would tell of a loss that was none.
  if (pages == 0) (void)::fdatasync(file_.get());
}

FileResult<fs::path> keep_lost_log(const fs::path& store) {
  const std::string log = store.string() + "-wal";
  std::error_code error;
  fs::path kept = store.string() + kLostName;
  for (int i = 2; fs::exists(kept, error); ++i) {
    kept = store.string() + kLostName + "-" + std::to_string(i);
  }
  auto made = write_new_file(kept, {});  // even where nothing is left of the log
  if (!made) return tl::unexpected(made.error());
  if (!fs::exists(log, error)) return kept;
  if (!fs::copy_file(log, kept, fs::copy_options::overwrite_existing, error)) {
    return tl::unexpected("cannot keep a copy of " + log + ": " + error.message());
  }
  return kept;
}

std::vector<fs::path> lost_logs(const fs::path& store) {
  const std::string name = store.filename().string() + kLostName;
  std::vector<fs::path> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(store.parent_path(), error)) {
    if (entry.path().filename().string().starts_with(name)) out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace meshstow::io
