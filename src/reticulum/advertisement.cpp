#include "reticulum/advertisement.hpp"

#include "codec/msgpack.hpp"

namespace meshstow::reticulum {
namespace {

constexpr unsigned kAllFields = 11;

tl::unexpected<Error> wrong() { return fail(Errc::malformed, "resource advertisement"); }

Result<std::uint64_t> read_count(codec::MsgpackReader& reader) {
  auto value = reader.integer();
  if (!value || *value < 0) return wrong();
  return static_cast<std::uint64_t>(*value);
}

template <std::size_t N>
bool read_fixed(codec::MsgpackReader& reader, FixedBytes<N>& out) {
  const auto bytes = reader.binary();
  if (!bytes || bytes->size() != N) return false;
  out = FixedBytes<N>::prefix_of(*bytes);
  return true;
}

bool read_request_id(codec::MsgpackReader& reader, std::optional<RequestId>& out) {
  const auto token = reader.next();
  if (!token) return false;
  if (token->type == codec::MsgpackType::nil) return true;
  if (token->type != codec::MsgpackType::binary) return false;
  out = RequestId::from(token->bytes);
  return out.has_value();
}

void set_flags(Advertisement& advertisement, std::uint64_t flags) {
  advertisement.encrypted = (flags & 1) != 0;
  advertisement.compressed = (flags & 2) != 0;
  advertisement.split = (flags & 4) != 0;
  advertisement.is_request = (flags & 8) != 0;
  advertisement.is_response = (flags & 16) != 0;
  advertisement.has_metadata = (flags & 32) != 0;
}

// Reads the value of one key. False: it is wrong.
bool read_field(codec::MsgpackReader& reader, char key, Advertisement& out) {
  const auto count = [&reader](std::uint64_t& into) {
    const auto value = read_count(reader);
    if (value) into = *value;
    return value.has_value();
  };
  switch (key) {
    case 't': return count(out.transfer_size);
    case 'd': return count(out.content_size);
    case 'n': return count(out.part_count);
    case 'h': return read_fixed(reader, out.hash);
    case 'r': return read_fixed(reader, out.random);
    case 'o': return read_fixed(reader, out.first_hash);
    case 'i': return count(out.segment);
    case 'l': return count(out.segment_count);
    case 'q': return read_request_id(reader, out.request);
    case 'f': {
      std::uint64_t flags = 0;
      if (!count(flags)) return false;
      set_flags(out, flags);
      return true;
    }
    case 'm': {
      const auto map = reader.binary();
      if (!map || map->size() % kPartHash != 0) return false;
      if (map->size() > kHashmapPiece * kPartHash) return false;
      out.hashmap = base::to_bytes(*map);
      return true;
    }
    default: return reader.raw_value().has_value();
  }
}

// What has to hold for any segment, whoever sends it.
bool is_consistent(const Advertisement& a) {
  if (a.transfer_size == 0 || a.part_count == 0 || a.part_count > a.transfer_size) return false;
  if (a.segment == 0 || a.segment > a.segment_count) return false;
  if (a.segment_count > 1 && a.segment_count > a.content_size) return false;
  if (a.segment == 1 && a.hash != a.first_hash) return false;
  return a.hashmap.size() == kPartHash * std::min<std::uint64_t>(a.part_count, kHashmapPiece);
}

}  // namespace

Byte pack_flags(const Advertisement& a) {
  return static_cast<Byte>((a.encrypted ? 1 : 0) | (a.compressed ? 2 : 0) | (a.split ? 4 : 0) |
                           (a.is_request ? 8 : 0) | (a.is_response ? 16 : 0) |
                           (a.has_metadata ? 32 : 0));
}

Bytes pack_advertisement(const Advertisement& a) {
  codec::MsgpackWriter writer;
  writer.map(kAllFields);
  writer.string("t").unsigned_integer(a.transfer_size);
  writer.string("d").unsigned_integer(a.content_size);
  writer.string("n").unsigned_integer(a.part_count);
  writer.string("h").binary(a.hash.view());
  writer.string("r").binary(a.random.view());
  writer.string("o").binary(a.first_hash.view());
  writer.string("i").unsigned_integer(a.segment);
  writer.string("l").unsigned_integer(a.segment_count);
  writer.string("q");
  a.request ? writer.binary(a.request->view()) : writer.nil();
  writer.string("f").unsigned_integer(pack_flags(a));
  writer.string("m").binary(a.hashmap);
  return writer.take();
}

Result<Advertisement> parse_advertisement(ByteView packed) {
  codec::MsgpackReader reader(packed);
  const auto count = reader.map();
  if (!count || *count > 4 * kAllFields) return wrong();
  constexpr std::string_view kKeys = "tdnhroilqfm";
  Advertisement out;
  unsigned seen = 0;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto key = reader.string();
    if (!key) return wrong();
    const std::size_t known = key->size() == 1 ? kKeys.find((*key)[0]) : std::string_view::npos;
    if (known != std::string_view::npos) {
      if (seen & (1U << known)) return wrong();
      seen |= 1U << known;
    }
    if (!read_field(reader, known == std::string_view::npos ? '\0' : (*key)[0], out))
      return wrong();
  }
  if (!reader.at_end() || seen != (1U << kKeys.size()) - 1) return wrong();
  if (!is_consistent(out)) return wrong();
  return out;
}

}  // namespace meshstow::reticulum
