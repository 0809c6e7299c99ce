#include "storage/entry.hpp"

#include "crypto/hash.hpp"
#include "storage/byte_reader.hpp"
#include "storage/digests.hpp"

namespace meshstow::storage {
namespace {

constexpr Byte kFolderEntry = 1;
constexpr Byte kDocumentEntry = 2;
constexpr Byte kDeleted = 1;
constexpr Byte kChunked = 2;
constexpr Byte kDated = 4;
constexpr Byte kClockWasSetBack = 8;
constexpr std::size_t kChecksum = 16;
constexpr std::size_t kPadding = 32;  // sealed records tell the length of names no closer than this

void append_text(Bytes& out, std::string_view text) {
  base::append_big_endian(out, static_cast<std::uint16_t>(text.size()));
  base::append(out, base::as_bytes(text));
}

void append_time(Bytes& out, WallTime time) {
  base::append_big_endian(out, static_cast<std::int64_t>(time.time_since_epoch().count()));
}

std::string read_text(ByteReader& in) {
  return base::to_string(in.bytes(in.integer<std::uint16_t>()));
}

DocumentState read_document(ByteReader& in) {
  DocumentState state;
  const Byte flags = in.integer<Byte>();
  state.deleted = (flags & kDeleted) != 0;
  state.chunked = (flags & kChunked) != 0;
  state.dated = (flags & kDated) != 0;
  state.version.log = in.fixed<16>();
  state.version.sequence = in.integer<std::uint64_t>();
  state.size = in.integer<std::uint64_t>();
  state.modified = WallTime{Duration{in.integer<std::int64_t>()}};
  state.latest = state.modified;
  if ((flags & kClockWasSetBack) != 0) {
    state.latest = WallTime{Duration{in.integer<std::int64_t>()}};
  }
  state.body = in.fixed<16>();
  if (state.chunked) state.list = in.fixed<32>();
  state.content_type = read_text(in);
  const auto count = in.integer<std::uint16_t>();
  for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
    VersionId seen;
    seen.log = in.fixed<16>();
    seen.sequence = in.integer<std::uint64_t>();
    state.context.push_back(seen);
  }
  return state;
}

Bytes entry_context(NodeId node, NodeId parent) {
  Bytes context;
  context.reserve(1 + sizeof node + sizeof parent);
  context.push_back('E');
  base::append_big_endian(context, node);
  base::append_big_endian(context, parent);
  return context;
}

Bytes body_context(const Hash16& body) {
  Bytes context{'B'};
  base::append(context, body.view());
  return context;
}

}  // namespace

Bytes encode(const Entry& entry) {
  Bytes out;
  out.reserve(128 + entry.name.size());
  out.push_back(entry.document ? kDocumentEntry : kFolderEntry);
  append_text(out, entry.name);
  if (!entry.document) return out;
  const DocumentState& state = *entry.document;
  const bool set_back = state.latest != state.modified;
  out.push_back(static_cast<Byte>((state.deleted ? kDeleted : 0) | (state.chunked ? kChunked : 0) |
                                  (state.dated ? kDated : 0) | (set_back ? kClockWasSetBack : 0)));
  base::append(out, state.version.log.view());
  base::append_big_endian(out, state.version.sequence);
  base::append_big_endian(out, state.size);
  append_time(out, state.modified);
  if (set_back) append_time(out, state.latest);
  base::append(out, state.body.view());
  if (state.chunked) base::append(out, state.list.view());
  append_text(out, state.content_type);
  base::append_big_endian(out, static_cast<std::uint16_t>(state.context.size()));
  for (const VersionId& seen : state.context) {
    base::append(out, seen.log.view());
    base::append_big_endian(out, seen.sequence);
  }
  return out;
}

Result<Entry> decode_entry(ByteView bytes) {
  ByteReader in(bytes);
  const Byte form = in.integer<Byte>();
  if (form != kFolderEntry && form != kDocumentEntry) {
    return fail(Errc::corrupt, "an entry of an unknown form");
  }
  Entry entry;
  entry.name = read_text(in);
  if (form == kDocumentEntry) entry.document = read_document(in);
  if (!in.ok()) return fail(Errc::corrupt, "an entry is cut short");
  for (Byte padding : in.rest()) {
    if (padding != 0) return fail(Errc::corrupt, "an entry has bytes behind its end");
  }
  return entry;
}

DocumentInfo describe(const DocumentState& state) {
  DocumentInfo info;
  info.etag = document_etag(state.version);
  info.content_type = state.content_type;
  info.size = state.size;
  info.modified = state.modified;
  info.dated = state.dated;
  info.version = state.version;
  info.deleted = state.deleted;
  return info;
}

Bytes RecordBox::close(bool secret, ByteView context, ByteView plain) {
  if (secret) return sealer_->seal_record(context, plain);
  Bytes out;
  out.reserve(plain.size() + kChecksum);
  base::append(out, plain);
  base::append(out, crypto::hash16({context, plain}).view());
  return out;
}

Result<Bytes> RecordBox::open(bool secret, ByteView context, ByteView stored) const {
  if (secret) {
    auto plain = sealer_->open_record(context, stored);
    if (!plain) return fail(Errc::corrupt, "a sealed record does not open");
    return plain;
  }
  if (stored.size() < kChecksum) return fail(Errc::corrupt, "a record is cut short");
  const ByteView plain = stored.first(stored.size() - kChecksum);
  if (!std::ranges::equal(crypto::hash16({context, plain}).view(), stored.last(kChecksum))) {
    return fail(Errc::corrupt, "a record fails its checksum");
  }
  return base::to_bytes(plain);
}

Bytes RecordBox::name_key(bool secret, NodeId folder, std::string_view name) const {
  if (!secret) return base::to_bytes(base::as_bytes(name));
  Bytes id;
  base::append_big_endian(id, folder);
  return base::to_bytes(sealer_->name_key(id, name).view());
}

Bytes RecordBox::close_entry(bool secret, NodeId node, NodeId parent, const Entry& entry) {
  Bytes plain = encode(entry);
  if (secret) plain.resize((plain.size() + kPadding - 1) / kPadding * kPadding);
  return close(secret, entry_context(node, parent), plain);
}

Result<Entry> RecordBox::open_entry(bool secret, NodeId node, NodeId parent,
                                    ByteView stored) const {
  auto plain = open(secret, entry_context(node, parent), stored);
  if (!plain) return fail(plain.error());
  return decode_entry(*plain);
}

Bytes RecordBox::close_body(bool secret, const Hash16& body, ByteView plain) {
  return close(secret, body_context(body), plain);
}

Result<Bytes> RecordBox::open_body(bool secret, const Hash16& body, ByteView stored) const {
  return open(secret, body_context(body), stored);
}

Bytes RecordBox::close_chunk(bool secret, ByteView plain) {
  return secret ? sealer_->seal_chunk(plain) : base::to_bytes(plain);
}

Result<Bytes> RecordBox::open_chunk(bool secret, Bytes stored) const {
  if (!secret) return stored;
  auto plain = sealer_->open_chunk(stored);
  if (!plain) return fail(Errc::corrupt, "a sealed chunk does not open");
  return plain;
}

}  // namespace meshstow::storage
