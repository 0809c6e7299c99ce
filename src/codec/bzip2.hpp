// codec/bzip2.hpp: bz2, the compression of Reticulum resources (facts/reticulum.md 8.1).
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::codec {

Bytes bzip2_compress(ByteView data);
// Errc::limit as soon as the output would exceed `max_size`; Errc::malformed for anything else
// wrong.
[[nodiscard]] Result<Bytes> bzip2_decompress(ByteView data, std::size_t max_size);

}  // namespace meshstow::codec
