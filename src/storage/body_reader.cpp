#include "storage/body_reader.hpp"

#include "crypto/hash.hpp"

namespace meshstow::storage {

OpenBody body_of(const DocumentState& state, ContentId content, bool secret) {
  OpenBody body;
  body.content = content;
  body.secret = secret;
  body.chunked = state.chunked;
  body.body = state.body;
  body.size = state.size;
  return body;
}

Result<Bytes> BodyReader::read(OpenBody& body, std::uint64_t offset, std::size_t most) {
  Bytes out;
  if (offset >= body.size) return out;
  const std::uint64_t wanted = std::min<std::uint64_t>(most, body.size - offset);
  out.reserve(wanted);
  while (out.size() < wanted) {
    const std::uint64_t at = offset + out.size();
    if (at < body.part_begins || at >= body.part_begins + body.part.size()) {
      if (auto loaded = load_part(body, at); !loaded) return fail(loaded.error());
    }
    const ByteView part = ByteView(body.part).subspan(at - body.part_begins);
    base::append(out, part.first(std::min<std::uint64_t>(part.size(), wanted - out.size())));
  }
  return out;
}

Result<void> BodyReader::load_whole(OpenBody& body) {
  const auto row = store_.content(body.content);
  if (!row || row->chunked) return fail(Errc::corrupt, "a body is missing");
  auto plain = box_.open_body(body.secret, body.body, row->body);
  if (!plain) return fail(plain.error());
  if (plain->size() != body.size) return fail(Errc::corrupt, "a body has another size");
  body.part = std::move(*plain);
  body.part_begins = 0;
  return {};
}

// Afterwards the byte at `offset`, which is inside the body, is in body.part.
Result<void> BodyReader::load_part(OpenBody& body, std::uint64_t offset) {
  if (!body.chunked) return load_whole(body);
  const auto piece = store_.piece_at(body.content, static_cast<std::int64_t>(offset));
  if (!piece || piece->offset < 0 || piece->size <= 0) {
    return fail(Errc::corrupt, "a part of a body is missing");
  }
  const auto begins = static_cast<std::uint64_t>(piece->offset);
  const auto size = static_cast<std::uint64_t>(piece->size);
  if (offset - begins >= size || begins + size > body.size) {
    return fail(Errc::corrupt, "a part of a body is missing");
  }
  auto stored = store_.chunk_data(piece->chunk);
  if (!stored) return fail(Errc::corrupt, "a chunk is missing");
  // The seal binds what was stored to its place in this body, so the address need not be read.
  if (digests_.piece_seal(body.body, begins, size, crypto::sha256(*stored)) != piece->seal) {
    return fail(Errc::corrupt, "a chunk is damaged or not where it belongs");
  }
  auto plain = box_.open_chunk(body.secret, std::move(*stored));
  if (!plain) return fail(plain.error());
  if (plain->size() != size) return fail(Errc::corrupt, "a chunk has another size");
  body.part = std::move(*plain);
  body.part_begins = begins;
  return {};
}

}  // namespace meshstow::storage
