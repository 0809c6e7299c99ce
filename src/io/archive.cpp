#include "io/archive.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/zlib/inflate_stream.hpp>
#include <boost/crc.hpp>

#include "base/limits.hpp"

namespace meshstow::io {
namespace {

namespace zlib = boost::beast::zlib;
using Entries = std::vector<ArchiveEntry>;

std::uint32_t checksum(ByteView bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

// Raw deflate (RFC 1951).
Result<Bytes> inflate(ByteView packed, std::size_t max_bytes) {
  const std::size_t step = std::clamp<std::size_t>(8 * packed.size(), 4096, 256 * 1024);
  // Beast takes as many bits as the longest code has, so it wants some behind the last one.
  constexpr std::array<Byte, 8> kBehind{};
  bool at_end = false;
  zlib::inflate_stream stream;
  zlib::z_params params;
  params.next_in = packed.data();
  params.avail_in = packed.size();
  Bytes out;
  for (;;) {
    const std::size_t have = out.size();
    out.resize(have + step);
    params.next_out = out.data() + have;
    params.avail_out = step;
    boost::system::error_code error;
    stream.write(params, zlib::Flush::sync, error);
    out.resize(have + step - params.avail_out);
    if (out.size() > max_bytes) return fail(Errc::limit, "the archive unpacks to too much");
    if (error == zlib::error::end_of_stream) return out;
    const bool stuck = out.size() == have && params.avail_in == 0 && at_end;
    if (params.avail_in == 0 && !std::exchange(at_end, true)) {
      params.next_in = kBehind.data();
      params.avail_in = kBehind.size();
    }
    if ((error && error != zlib::error::need_buffers) || stuck) {
      return fail(Errc::malformed, "the archive is damaged");
    }
  }
}

std::uint64_t little_endian(ByteView bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = (out << 8) | bytes[i];
  return out;
}

// RFC 1952.
Result<Bytes> gunzip(ByteView file, std::size_t max_bytes) {
  constexpr std::size_t kFixedHead = 10, kTrailer = 8;
  constexpr Byte kHeadChecksum = 2, kExtra = 4, kName = 8, kComment = 16;
  const auto damaged = fail(Errc::malformed, "the archive is damaged");
  if (file.size() < kFixedHead || file[2] != 8) return damaged;
  const Byte flags = file[3];
  std::size_t at = kFixedHead;
  if ((flags & kExtra) != 0) {
    if (file.size() < at + 2) return damaged;
    at += 2 + static_cast<std::size_t>(little_endian(file.subspan(at, 2)));
  }
  for (const Byte text : {kName, kComment}) {
    if ((flags & text) == 0) continue;
    while (at < file.size() && file[at] != 0) ++at;
    ++at;
  }
  if ((flags & kHeadChecksum) != 0) at += 2;
  if (at >= file.size() || file.size() - at < kTrailer) return damaged;
  const ByteView trailer = file.last(kTrailer);
  auto bytes = inflate(file.subspan(at, file.size() - at - kTrailer), max_bytes);
  if (bytes && (little_endian(trailer.first(4)) != checksum(*bytes) ||
                little_endian(trailer.last(4)) != bytes->size())) {
    return damaged;
  }
  return bytes;
}

// ---- tar: 512-byte heads, names up to 256 characters in them, longer ones in records before.

constexpr std::size_t kBlock = 512;

std::string_view field(ByteView head, std::size_t offset, std::size_t size) {
  const std::string_view text = base::as_text(head.subspan(offset, size));
  return text.substr(0, text.find('\0'));
}

std::optional<std::uint64_t> octal(std::string_view digits) {
  std::uint64_t out = 0;
  bool any = false;
  for (const char c : digits) {
    if (c == ' ') continue;
    if (c < '0' || c > '7' || out > (1ULL << 40)) return std::nullopt;
    out = out * 8 + static_cast<std::uint64_t>(c - '0');
    any = true;
  }
  if (!any) return std::nullopt;
  return out;
}

// "27 path=some/long/name\n" among the records of an extended head. Empty: it is not there.
std::string pax_value(std::string_view records, std::string_view key) {
  while (!records.empty()) {
    const std::size_t space = records.find(' ');
    if (space > 8) return {};  // or there is none
    std::size_t length = 0;
    for (const char c : records.substr(0, space)) {
      if (c < '0' || c > '9') return {};
      length = length * 10 + static_cast<std::size_t>(c - '0');
    }
    if (length <= space + 1 || length > records.size()) return {};
    const std::string_view record = records.substr(space + 1, length - space - 2);
    if (record.starts_with(key) && record.substr(key.size()).starts_with('=')) {
      return std::string(record.substr(key.size() + 1));
    }
    records.remove_prefix(length);
  }
  return {};
}

class TarReader {
 public:
  explicit TarReader(std::size_t max_bytes) : left_(max_bytes) {}

  Result<Entries> read(ByteView tar) {
    while (tar.size() >= kBlock && tar[0] != 0) {
      const ByteView head = tar.first(kBlock);
      const auto size = octal(field(head, 124, 12));
      const std::size_t padded =
          size ? (static_cast<std::size_t>(*size) + kBlock - 1) / kBlock * kBlock : 0;
      if (!size || tar.size() - kBlock < padded)
        return fail(Errc::malformed, "the archive is damaged");
      if (auto taken = take(head, tar.subspan(kBlock, static_cast<std::size_t>(*size))); !taken) {
        return fail(taken.error());
      }
      tar = tar.subspan(kBlock + padded);
    }
    return std::move(entries_);
  }

 private:
  // What stands before an entry tells more of it than its head has room for.
  Result<void> take(ByteView head, ByteView body) {
    constexpr std::string_view kAboutAll = "gV";  // the archive as a whole
    const char type = static_cast<char>(head[156]);
    if (type == 'L') {
      name_ = std::string(field(body, 0, body.size()));
    } else if (type == 'K') {
      target_ = std::string(field(body, 0, body.size()));
    } else if (type == 'x') {
      const std::string_view records = base::as_text(body);
      name_ = pax_value(records, "path");
      target_ = pax_value(records, "linkpath");
      is_sparse_ = records.find(" GNU.sparse.") != std::string_view::npos;
    } else if (kAboutAll.find(type) == std::string_view::npos) {
      return take_entry(head, type, body);
    }
    return {};
  }

  Result<void> take_entry(ByteView head, char type, ByteView body) {
    ArchiveEntry entry;
    entry.path = std::exchange(name_, {});
    entry.target = std::exchange(target_, {});
    const bool is_sparse = std::exchange(is_sparse_, false);
    if (entry.path.empty()) entry.path = name_in(head);
    if (type == '5' || type == 'D' || entry.path.ends_with('/')) return {};
    if (entry.target.empty()) entry.target = field(head, 157, 100);
    switch (type) {
      case '0':
      case '7':
      case '\0': entry.kind = is_sparse ? EntryKind::other : EntryKind::file; break;
      case '1': entry.kind = EntryKind::hard_link; break;
      case '2': entry.kind = EntryKind::symbolic_link; break;
      default: entry.kind = EntryKind::other;
    }
    if (entry.kind == EntryKind::file) entry.bytes = base::to_bytes(body);
    if (entry.bytes.size() > left_ || entries_.size() == limits::kAppFiles) {
      return fail(Errc::limit, "the archive holds too much");
    }
    left_ -= entry.bytes.size();
    entries_.push_back(std::move(entry));
    return {};
  }

  static std::string name_in(ByteView head) {
    const std::string_view prefix =
        field(head, 257, 5) == "ustar" ? field(head, 345, 155) : std::string_view();
    std::string name(field(head, 0, 100));
    if (!prefix.empty()) name.insert(0, "/").insert(0, prefix);
    return name;
  }

  std::size_t left_;
  Entries entries_;
  std::string name_, target_;  // of the next entry, where its head is too short for them
  bool is_sparse_ = false;
};

// ---- zip: a directory at the end names every file.

struct ZipEntry {
  std::uint64_t flags = 0, method = 0, checksum = 0, packed = 0, size = 0, offset = 0;
};

Result<Bytes> unpack(ByteView zip, const ZipEntry& entry, std::size_t max_bytes) {
  constexpr std::size_t kLocalHead = 30;
  const auto damaged = fail(Errc::malformed, "the archive is damaged");
  if (entry.offset > zip.size() || zip.size() - entry.offset < kLocalHead) return damaged;
  const ByteView local = zip.subspan(static_cast<std::size_t>(entry.offset));
  const std::uint64_t start =
      kLocalHead + little_endian(local.subspan(26, 2)) + little_endian(local.subspan(28, 2));
  if (start > local.size() || local.size() - start < entry.packed) return damaged;
  const ByteView packed =
      local.subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(entry.packed));
  if ((entry.flags & 1) != 0) return fail(Errc::malformed, "the archive is encrypted");
  if (entry.method != 0 && entry.method != 8)
    return fail(Errc::malformed, "the archive is packed in a way that is not known here");
  if (entry.method == 0 && packed.size() > max_bytes)
    return fail(Errc::limit, "the archive unpacks to too much");
  auto bytes = entry.method == 8 ? inflate(packed, max_bytes) : base::to_bytes(packed);
  if (bytes && (bytes->size() != entry.size || checksum(*bytes) != entry.checksum)) return damaged;
  return bytes;
}

std::optional<ByteView> zip_directory(ByteView zip) {
  constexpr std::size_t kEnd = 22, kLongestComment = 65535;
  if (zip.size() < kEnd) return std::nullopt;
  const std::size_t last = zip.size() - kEnd;
  for (std::size_t at = last; last - at <= kLongestComment; --at) {
    if (base::as_text(zip.subspan(at, 4)) == "PK\x05\x06") {
      const std::uint64_t size = little_endian(zip.subspan(at + 12, 4));
      const std::uint64_t offset = little_endian(zip.subspan(at + 16, 4));
      if (offset > at || size > at - offset) return std::nullopt;
      return zip.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
    }
    if (at == 0) break;
  }
  return std::nullopt;
}

// Systems that know links note them in the upper half of a file's attributes, as in its mode.
EntryKind zip_kind(std::uint64_t made_by, std::uint64_t attributes) {
  constexpr std::uint64_t kUnix = 3, kKind = 0xF000, kLink = 0xA000, kFile = 0x8000;
  const std::uint64_t kind = (attributes >> 16) & kKind;
  if (made_by >> 8 != kUnix || kind == kFile || kind == 0) return EntryKind::file;
  return kind == kLink ? EntryKind::symbolic_link : EntryKind::other;
}

Result<Entries> read_zip(ByteView zip, std::size_t max_bytes) {
  constexpr std::size_t kHead = 46;
  auto directory = zip_directory(zip);
  if (!directory) return fail(Errc::malformed, "the archive is damaged");
  Entries entries;
  std::size_t left = max_bytes;
  while (directory->size() >= kHead && base::as_text(directory->first(4)) == "PK\x01\x02") {
    const auto number = [&](std::size_t offset, std::size_t size) {
      return little_endian(directory->subspan(offset, size));
    };
    const ZipEntry packed{number(8, 2),  number(10, 2), number(16, 4),
                          number(20, 4), number(24, 4), number(42, 4)};
    ArchiveEntry entry;
    entry.kind = zip_kind(number(4, 2), number(38, 4));
    const std::size_t name = static_cast<std::size_t>(number(28, 2));
    const std::size_t more = static_cast<std::size_t>(number(30, 2) + number(32, 2));
    if (directory->size() - kHead < name + more)
      return fail(Errc::malformed, "the archive is damaged");
    entry.path = base::to_string(directory->subspan(kHead, name));
    directory = directory->subspan(kHead + name + more);
    if (entry.path.ends_with('/') || entry.path.ends_with('\\')) continue;
    if (entries.size() == limits::kAppFiles) return fail(Errc::limit, "the archive holds too much");
    auto bytes = unpack(zip, packed, left);
    if (!bytes) return fail(bytes.error());
    left -= std::min(left, bytes->size());
    if (entry.kind == EntryKind::symbolic_link) {
      entry.target = base::to_string(*bytes);
    } else {
      entry.bytes = std::move(*bytes);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

Result<Entries> read_archive(ByteView archive, std::size_t max_bytes) {
  const std::string_view start =
      base::as_text(archive.first(std::min<std::size_t>(archive.size(), 4)));
  if (start.starts_with("PK")) return read_zip(archive, max_bytes);
  if (start.starts_with("\x1f\x8b")) {
    // Heads and padding come on top of the files.
    const auto tar = gunzip(archive, max_bytes + limits::kAppFiles * 3 * kBlock);
    if (!tar) return fail(tar.error());
    return TarReader(max_bytes).read(*tar);
  }
  if (archive.size() < kBlock || field(archive.first(kBlock), 257, 5) != "ustar") {
    return fail(Errc::malformed, "neither a folder nor a zip, tar or tar.gz");
  }
  return TarReader(max_bytes).read(archive);
}

}  // namespace meshstow::io
