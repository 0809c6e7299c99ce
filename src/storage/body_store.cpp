#include "storage/body_store.hpp"

#include "base/limits.hpp"
#include "crypto/hash.hpp"

namespace meshstow::storage {

void BodyStore::begin_list(StoredBody& stored, bool chunked) {
  stored.content = space_.next_content++;
  stored.chunked = chunked;
  Bytes name;
  base::append_big_endian(name, stored.content);
  stored.body = crypto::hash16({base::as_bytes("body"), space_.log.view(), name});
}

void BodyStore::append(BodyInProgress& body, ByteView piece) {
  while (!piece.empty()) {
    const ByteView part = piece.first(std::min(piece.size(), kMaxChunk));
    piece = piece.subspan(part.size());
    body.chunker_.feed(part);
    body.size_ += part.size();
    if (body.size_ <= limits::kInlineDocument) continue;
    while (auto chunk = body.chunker_.next()) write_chunk(body, *chunk);
  }
}

StoredBody BodyStore::finish(BodyInProgress& body) {
  StoredBody& stored = body.stored_;
  if (body.size_ <= limits::kInlineDocument) {
    begin_list(stored, /*chunked=*/false);
    stored.size = body.size_;
    const Bytes plain = body.chunker_.finish();
    store_.insert_content(stored.content,
                          {1, false, box_.close_body(body.secret_, stored.body, plain)});
    return stored;
  }
  while (auto chunk = body.chunker_.next()) write_chunk(body, *chunk);
  if (const Bytes last = body.chunker_.finish(); !last.empty()) write_chunk(body, last);
  store_.set_references(stored.content, 1);
  store_.remove_loose(stored.content);
  return stored;
}

void BodyStore::write_chunk(BodyInProgress& body, ByteView plain) {
  StoredBody& stored = body.stored_;
  if (stored.content == 0) {
    begin_list(stored, /*chunked=*/true);
    store_.insert_content(stored.content, {0, true, {}});
    store_.add_loose(stored.content);
  }
  const Bytes sealed = box_.close_chunk(body.secret_, plain);
  const Hash32 address = crypto::sha256(sealed);
  PieceRow piece;
  piece.offset = static_cast<std::int64_t>(stored.size);
  piece.size = static_cast<std::int64_t>(plain.size());
  piece.chunk = refer_chunk(address, sealed);
  piece.seal = digests_.piece_seal(stored.body, stored.size, plain.size(), address);
  store_.insert_piece(stored.content, piece);
  stored.list = extend_list(stored.list, address, plain.size());
  stored.size += plain.size();
}

ChunkId BodyStore::refer_chunk(const Hash32& address, ByteView stored) {
  if (auto known = store_.view().chunk_at(address)) {
    const auto data = store_.view().chunk_data(known->id);
    ++known->references;
    if (data && std::ranges::equal(*data, stored)) {
      store_.set_chunk_references(known->id, known->references);
    } else {  // the stored one has rotted: what came in heals it
      store_.remove_chunk(known->id);
      store_.insert_chunk(*known, stored);
    }
    return known->id;
  }
  const ChunkId id = space_.next_chunk++;
  store_.insert_chunk({id, address, 1}, stored);
  return id;
}

void BodyStore::refer(ContentId content) {
  if (content == 0) return;
  if (const auto row = store_.view().content(content)) {
    store_.set_references(content, row->references + 1);
  }
}

void BodyStore::release(ContentId content) {
  if (content == 0) return;
  const auto row = store_.view().content(content);
  if (!row) return;
  if (row->references > 1) {
    store_.set_references(content, row->references - 1);
  } else if (row->chunked) {
    store_.set_references(content, 0);
    store_.add_loose(content);
  } else {
    store_.remove_content(content);
  }
}

std::size_t BodyStore::reclaim(ContentId content, std::size_t most) {
  const auto pieces = store_.view().pieces(content, 0, most);
  for (const PieceRow& piece : pieces) {
    store_.remove_piece(content, piece.offset);
    const auto chunk = store_.view().chunk(piece.chunk);
    if (!chunk) continue;
    if (chunk->references > 1) {
      store_.set_chunk_references(chunk->id, chunk->references - 1);
    } else {
      store_.remove_chunk(chunk->id);
    }
  }
  if (pieces.size() < most) {
    store_.remove_content(content);
    store_.remove_loose(content);
  }
  return pieces.size();
}

}  // namespace meshstow::storage
