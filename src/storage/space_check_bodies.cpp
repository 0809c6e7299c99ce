#include "crypto/hash.hpp"
#include "storage/space_check.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kPage = 256;

}  // namespace

void SpaceCheck::check_body(const std::string& path, bool secret, const DocumentState& state,
                            ContentId content) {
  if (state.deleted) {
    if (content != 0) report(path, "a deletion has a body");
    return;
  }
  references_.push_back(content);
  const auto row = store_.content(content);
  if (!row || row->chunked != state.chunked) {
    report(path, "the body is missing");
    return;
  }
  const char* wrong =
      state.chunked ? check_chunked(secret, state, content) : check_small(secret, state, *row);
  if (wrong != nullptr) {
    report(path, wrong);
  } else {
    report_.bytes += state.size;
  }
}

const char* SpaceCheck::check_small(bool secret, const DocumentState& state,
                                    const ContentRow& row) {
  const auto plain = box_.open_body(secret, state.body, row.body);
  if (!plain) return "the body is damaged";
  return plain->size() == state.size ? nullptr : "the body has another size";
}

const char* SpaceCheck::check_chunked(bool secret, const DocumentState& state, ContentId content) {
  std::uint64_t offset = 0;
  Hash32 list;
  for (;;) {
    const auto page = store_.pieces(content, static_cast<std::int64_t>(offset), kPage);
    for (const PieceRow& piece : page) {
      if (piece.offset != static_cast<std::int64_t>(offset) || piece.size <= 0) {
        return "a part of the body is missing";
      }
      if (const char* wrong = check_piece(secret, state, piece, list)) return wrong;
      offset += static_cast<std::uint64_t>(piece.size);
    }
    if (page.size() < kPage) break;
  }
  if (offset != state.size) return "a part of the body is missing";
  return list == state.list ? nullptr : "the list of chunks is damaged";
}

const char* SpaceCheck::check_piece(bool secret, const DocumentState& state, const PieceRow& piece,
                                    Hash32& list) {
  const auto chunk = store_.chunk(piece.chunk);
  if (!chunk) return "a chunk is missing";
  const auto size = static_cast<std::uint64_t>(piece.size);
  const auto offset = static_cast<std::uint64_t>(piece.offset);
  if (digests_.piece_seal(state.body, offset, size, chunk->address) != piece.seal) {
    return "a chunk is not where it belongs";
  }
  list = extend_list(list, chunk->address, size);
  return check_chunk(secret, *chunk, size);
}

// Each chunk is read once, however many bodies have it.
const char* SpaceCheck::check_chunk(bool secret, const ChunkRow& chunk, std::uint64_t size) {
  const auto number = static_cast<std::size_t>(chunk.id);
  if (number < checked_chunks_.size() && checked_chunks_[number]) return nullptr;
  auto data = store_.chunk_data(chunk.id);
  if (!data) return "a chunk is missing";
  if (crypto::sha256(*data) != chunk.address) return "a chunk is damaged";
  const auto plain = box_.open_chunk(secret, std::move(*data));
  if (!plain) return "a chunk does not open";
  if (plain->size() != size) return "a chunk has another size";
  const auto numbers = static_cast<std::size_t>(std::max<ChunkId>(space_.next_chunk, 0));
  if (number < numbers) {
    checked_chunks_.resize(std::max(numbers, checked_chunks_.size()));
    checked_chunks_[number] = true;
  }
  return nullptr;
}

}  // namespace meshstow::storage
