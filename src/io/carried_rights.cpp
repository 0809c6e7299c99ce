#include "io/carried_rights.hpp"

#include <map>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "http/sessions.hpp"
#include "io/clock.hpp"
#include "io/home_store.hpp"

namespace meshstow::io {
namespace {

namespace fs = std::filesystem;
using storage::Operation;
using storage::RecordList;
template <class T>
using Found = tl::expected<T, std::string>;

Bytes key_of(std::string_view text) { return base::to_bytes(base::as_bytes(text)); }

Found<RecordList> records_of(storage::RemoteStorage& store, std::string_view prefix) {
  auto reader = store.make_reader();
  if (!reader) return tl::unexpected(std::string(reader.error().detail));
  auto reply = (*reader)->execute({1, storage::ListRecords{key_of(prefix)}});
  if (!reply.outcome) return tl::unexpected(std::string(reply.outcome.error().detail));
  return std::get<RecordList>(std::move(*reply.outcome));
}

// A record as it lies in a store, and what it says.
struct Token {
  storage::PutRecord record;
  bool revoked = false;
};
struct Rights {
  std::map<access::TokenId, Token> tokens;
  std::optional<Bytes> passphrase;
  Bytes announced;  // empty: unknown
};

access::TokenBook empty_book(const Home& home, base::Rng& rng) {
  const node::NodeIdentities& own = home.identities();
  const access::SpaceKey* key = own.keys.current(own.owner.hash());
  MESHSTOW_CHECK(key != nullptr);  // Home::open has looked
  return {own.owner.hash(), [&own](ByteView bytes) { return own.owner.sign(bytes); }, *key, rng};
}

// A record that cannot be read may be a revocation: it counts as one, as it does when a node
// starts.
Token revoked_unseen(access::TokenBook&& book, const access::TokenId& id) {
  auto record = book.begin_revocation(read_clock(), id);
  MESHSTOW_CHECK(record.has_value());  // the book is empty
  book.end_revocation(id, /*stored=*/false);
  return {{std::move(record->key), std::move(record->value)}, true};
}

Found<Rights> rights_in(storage::RemoteStorage& store, const Home& home, base::Rng& rng) {
  auto tokens = records_of(store, access::kTokenRecordPrefix);
  auto passphrase = records_of(store, http::kPassphraseRecordKey);
  auto announced = records_of(store, node::kAnnouncedRecordKey);
  for (const auto* each : {&tokens, &passphrase, &announced}) {
    if (!*each) return tl::unexpected(each->error());
  }
  Rights out;
  access::TokenBook book = empty_book(home, rng);
  for (auto& [key, value] : tokens->records) {
    const auto id = access::token_of_record(key);
    if (!id) continue;
    const auto record = book.load(key, value);
    out.tokens.insert_or_assign(*id, record ? Token{{key, value}, record->revoked}
                                            : revoked_unseen(empty_book(home, rng), *id));
  }
  for (const Bytes& key : tokens->damaged) {
    if (const auto id = access::token_of_record(key)) {
      out.tokens.insert_or_assign(*id, revoked_unseen(empty_book(home, rng), *id));
    }
  }
  if (!passphrase->records.empty()) out.passphrase = passphrase->records.front().second;
  if (!announced->records.empty()) out.announced = announced->records.front().second;
  return out;
}

Found<Rights> rights_replaced(const Home& home, base::Rng& rng) {
  std::error_code error;
  const auto size = fs::file_size(home.store_file(), error);
  if (error || size == 0) return tl::unexpected<std::string>("there was no store");
  auto store = open_home_store(home.store_file(), home.identities(), home.settings(), rng);
  if (!store) return tl::unexpected(store.error());
  return rights_in(**store, home, rng);
}

Found<void> write_all(storage::RemoteStorage& copy, std::vector<Operation> writes) {
  for (std::size_t from = 0; from < writes.size(); from += limits::kBatchOperations) {
    const std::size_t end = std::min(writes.size(), from + limits::kBatchOperations);
    std::vector<storage::StoreRequest> batch;
    for (std::size_t i = from; i < end; ++i) batch.push_back({i, std::move(writes[i])});
    for (const storage::StoreReply& reply : copy.execute_batch(read_clock(), batch)) {
      if (!reply.outcome) return tl::unexpected(std::string(reply.outcome.error().detail));
    }
  }
  return {};
}

// What the copy knows differently. The newer record of a token counts, but no revocation is undone.
void carry_tokens(const Rights& old, const Rights& copied, CarriedRights& out,
                  std::vector<Operation>& writes) {
  for (const auto& [id, token] : old.tokens) {
    const auto known = copied.tokens.find(id);
    if (known != copied.tokens.end() && known->second.revoked) continue;
    if (token.revoked) {
      ++out.revocations;
    } else if (known == copied.tokens.end()) {
      ++out.tokens;
    }
    writes.emplace_back(token.record);
  }
}

}  // namespace

Found<CarriedRights> carry_rights(const Home& home, storage::RemoteStorage& copy, base::Rng& rng) {
  CarriedRights out;
  std::vector<Operation> writes;
  const auto sessions = records_of(copy, http::kSessionRecordPrefix);
  const auto copied = rights_in(copy, home, rng);
  if (!sessions) return tl::unexpected(sessions.error());
  if (!copied) return tl::unexpected(copied.error());
  for (const auto& [key, value] : sessions->records)
    writes.emplace_back(storage::RemoveRecord{key});
  for (const Bytes& key : sessions->damaged) writes.emplace_back(storage::RemoveRecord{key});

  auto old = rights_replaced(home, rng);
  if (!old) {
    out.lost = old.error();
    old.emplace();
  }
  carry_tokens(*old, *copied, out, writes);
  out.has_passphrase = old->passphrase.has_value();
  if (old->passphrase) {
    writes.emplace_back(
        storage::PutRecord{key_of(http::kPassphraseRecordKey), std::move(*old->passphrase)});
  } else {
    writes.emplace_back(storage::RemoveRecord{key_of(http::kPassphraseRecordKey)});
  }
  if (old->announced > copied->announced) {
    writes.emplace_back(
        storage::PutRecord{key_of(node::kAnnouncedRecordKey), std::move(old->announced)});
  }
  if (auto written = write_all(copy, std::move(writes)); !written) {
    return tl::unexpected(written.error());
  }
  return out;
}

}  // namespace meshstow::io
