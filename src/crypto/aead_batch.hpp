// crypto/aead_batch.hpp: many short texts in a row.
#pragma once

namespace meshstow::crypto {

// aead_seal() and aead_open() overwrite the key that this thread's context keeps as soon as they
// are done, which costs about a fourth of what a short text does. While one of these lives, the
// thread does that once, at its end.
class AeadBatch {
 public:
  AeadBatch();
  ~AeadBatch();
  AeadBatch(const AeadBatch&) = delete;
  AeadBatch& operator=(const AeadBatch&) = delete;
};

}  // namespace meshstow::crypto
