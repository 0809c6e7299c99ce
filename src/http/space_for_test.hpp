// http/space_for_test.hpp: a space in memory with its keys and tokens, under the servers of the
// tests and of the fuzz targets.
#pragma once

#include <memory>

#include "access/token_book.hpp"
#include "storage/body_upload.hpp"
#include "storage/memory/memory_store.hpp"
#include "storage/plain_sealer.hpp"
#include "storage/remote_storage.hpp"

namespace meshstow::http {

class SpaceForTest {
 protected:
  explicit SpaceForTest(const storage::StorageOptions& options = {}) {
    storage_ =
        std::move(storage::RemoteStorage::open(storage::make_memory_store(),
                                               storage::make_plain_sealer(), rng_, options, now_)
                      .value());
    reader_ = std::move(storage_->make_reader().value());
  }

  storage::StoreReply execute_in_store(storage::StoreRequest request) {
    if (!storage::is_write(request.operation)) return reader_->execute(request);
    return std::move(storage_->execute_batch(now_, {&request, 1}).front());
  }

  Now now_{TimePoint{std::chrono::hours(1)}, base::wall_from_unix_seconds(1'790'000'000)};
  base::SeededRng rng_{4};
  crypto::Ed25519Key key_ = crypto::Ed25519Key::generate(rng_);
  access::IdentityHash owner_ = rng_.bytes<16>();
  access::SpaceKey space_key_ = access::SpaceKey::generate(rng_);
  storage::Uploads uploads_;
  access::AccessControl control_{owner_, key_.public_key()};
  access::TokenBook tokens_{owner_, [this](ByteView m) { return key_.sign(m); }, space_key_, rng_};

 private:
  std::unique_ptr<storage::RemoteStorage> storage_;
  std::unique_ptr<storage::StorageReader> reader_;
};

}  // namespace meshstow::http
