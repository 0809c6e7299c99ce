#include "access/token_book.hpp"

#include <algorithm>

#include "access/capability_bytes.hpp"
#include "base/limits.hpp"
#include "codec/msgpack.hpp"
#include "codec/utf8.hpp"
#include "crypto/cipher.hpp"

namespace meshstow::access {
namespace {

constexpr Byte kFormat = 1;
constexpr std::uint32_t kFields = 5;
constexpr std::uint32_t kFieldsOfUnknown = 2;  // of a token that was revoked unseen
constexpr std::size_t kLabel = 256;            // bytes
constexpr std::chrono::seconds kLongestLifetime{100LL * 366 * 24 * 3600};  // a hundred years

Bytes record_key(const TokenId& id) {
  return base::concat({base::as_bytes(kTokenRecordPrefix), id.view()});
}

Bytes encode_record(const TokenRecord& record) {
  codec::MsgpackWriter writer;
  if (record.capability.scopes.empty()) {
    writer.array(kFieldsOfUnknown).binary(record.capability.id.view());
    writer.integer(record.created.time_since_epoch().count());
    return writer.take();
  }
  writer.array(kFields).binary(encode_capability(record.capability)).string(record.label);
  writer.integer(record.created.time_since_epoch().count());
  if (record.last_used) {
    writer.integer(record.last_used->time_since_epoch().count());
  } else {
    writer.nil();
  }
  writer.boolean(record.revoked);
  return writer.take();
}

WallTime wall_from_microseconds(std::int64_t count) { return WallTime{Duration{count}}; }

Result<TokenRecord> decode_unknown(codec::MsgpackReader reader) {
  const auto id = reader.binary();
  const auto created = reader.integer();
  if (!id || id->size() != TokenId::size() || !created || !reader.at_end()) {
    return fail(Errc::corrupt, "a token record cannot be read");
  }
  return TokenRecord{.capability = {.id = TokenId::prefix_of(*id)},
                     .created = wall_from_microseconds(*created),
                     .revoked = true};
}

Result<TokenRecord> decode_record(ByteView bytes) {
  const auto bad = fail(Errc::corrupt, "a token record cannot be read");
  codec::MsgpackReader reader(bytes);
  // A step that fails leaves the reader where it is, so that those after it fail too.
  const auto count = reader.array();
  if (count && *count == kFieldsOfUnknown) return decode_unknown(reader);
  const auto body = reader.binary();
  const auto label = reader.string();
  const auto created = reader.integer();
  const auto used = reader.next();
  const auto revoked = reader.next();
  if (!count || *count != kFields || !body || !label || !created || !used || !revoked ||
      !reader.at_end() || revoked->type != codec::MsgpackType::boolean) {
    return bad;
  }
  auto capability = decode_capability(*body);
  if (!capability) return bad;

  TokenRecord out{.capability = std::move(*capability),
                  .label = std::string(*label),
                  .created = wall_from_microseconds(*created),
                  .revoked = revoked->boolean};
  if (used->type == codec::MsgpackType::integer && !used->above_int64) {
    out.last_used = wall_from_microseconds(used->integer);
  } else if (used->type != codec::MsgpackType::nil) {
    return bad;
  }
  return out;
}

Result<void> check_order(const TokenOrder& order) {
  if (order.scopes.empty()) return fail(Errc::malformed, "a token needs a scope");
  if (order.scopes.size() > limits::kTokenScopes) return fail(Errc::limit, "too many scopes");
  if (order.lifetime && (order.lifetime->count() <= 0 || *order.lifetime > kLongestLifetime)) {
    return fail(Errc::malformed, "a token lives between a second and a hundred years");
  }
  if (order.label.size() > kLabel || !codec::is_valid_utf8(order.label)) {
    return fail(Errc::malformed, "the label of a token is at most 256 bytes of UTF-8");
  }
  return {};
}

}  // namespace

std::optional<TokenId> token_of_record(ByteView key) {
  if (!base::as_text(key).starts_with(kTokenRecordPrefix)) return std::nullopt;
  return TokenId::from(key.subspan(kTokenRecordPrefix.size()));
}

struct TokenBook::State {
  IdentityHash owner;
  Signer sign;
  crypto::Secret32 key;
  base::Rng& rng;
  std::map<TokenId, TokenRecord> records;
  std::map<TokenId, WallTime> being_revoked;  // since when

  StoredRecord seal(TokenRecord record) const {
    record.revoked = record.revoked || being_revoked.contains(record.capability.id);
    const Bytes name = record_key(record.capability.id);
    const auto nonce = rng.bytes<crypto::kAeadNonce>();
    const Bytes sealed = crypto::aead_seal(key, nonce, name, encode_record(record));
    return {.key = name, .value = base::concat({ByteView(&kFormat, 1), nonce.view(), sealed})};
  }

  Result<TokenRecord> open(ByteView name, ByteView value) const {
    if (value.size() < 1 + crypto::kAeadNonce || value.front() != kFormat) {
      return fail(Errc::corrupt, "a token record has an unknown format");
    }
    const auto nonce = crypto::AeadNonce::prefix_of(value.subspan(1));
    const auto plain = crypto::aead_open(key, nonce, name, value.subspan(1 + crypto::kAeadNonce));
    if (!plain) return fail(Errc::corrupt, "a token record does not open");
    return decode_record(*plain);
  }

  TokenId unused_id() const {
    TokenId id;
    do {
      id = rng.bytes<TokenId::size()>();
    } while (records.contains(id));
    return id;
  }
};

TokenBook::TokenBook(IdentityHash owner, Signer owner_signer, const SpaceKey& key, base::Rng& rng)
    : state_(new State{
          owner, std::move(owner_signer), key.derive("meshstow token records"), rng, {}, {}}) {}

TokenBook::~TokenBook() = default;

Result<IssuedToken> TokenBook::issue(Now now, const TokenOrder& order) {
  if (const auto checked = check_order(order); !checked) return fail(checked.error());
  if (state_->records.size() >= limits::kTokensPerSpace) {
    return fail(Errc::limit, "the space has as many tokens as it can have");
  }
  Capability capability{.id = state_->unused_id(),
                        .issuer = state_->owner,
                        .holder = order.holder,
                        .scopes = order.scopes};
  if (order.lifetime) {
    // Never shorter than asked for, by the part of a second that the token cannot say.
    capability.expires = std::chrono::ceil<std::chrono::seconds>(now.wall) + *order.lifetime;
  }
  std::string text = mint(capability, state_->sign);
  if (text.size() > limits::kTokenText) {
    return fail(Errc::limit, "the scopes are too long for a token");
  }
  const TokenId id = capability.id;
  TokenRecord record{
      .capability = std::move(capability), .label = order.label, .created = now.wall};
  StoredRecord stored = state_->seal(record);
  state_->records.emplace(id, std::move(record));
  return IssuedToken{.text = std::move(text), .id = id, .record = std::move(stored)};
}

bool TokenBook::knows(const TokenId& id) const { return state_->records.contains(id); }

Result<StoredRecord> TokenBook::begin_revocation(Now now, const TokenId& id) {
  const auto found = state_->records.find(id);
  if (found == state_->records.end() && state_->records.size() >= limits::kTokensPerSpace) {
    return fail(Errc::limit, "the space has as many tokens as it can have");
  }
  state_->being_revoked.insert_or_assign(id, now.wall);
  return state_->seal(found != state_->records.end()
                          ? found->second
                          : TokenRecord{.capability = {.id = id}, .created = now.wall});
}

void TokenBook::end_revocation(const TokenId& id, bool stored) {
  const auto pending = state_->being_revoked.extract(id);
  if (!stored) return;
  const WallTime since = pending.empty() ? WallTime{} : pending.mapped();
  const TokenRecord unknown{.capability = {.id = id}, .created = since};
  state_->records.try_emplace(id, unknown).first->second.revoked = true;
}

Result<StoredRecord> TokenBook::record(const TokenId& id) const {
  const auto found = state_->records.find(id);
  if (found == state_->records.end()) return fail(Errc::not_found, "no such token");
  return state_->seal(found->second);
}

Result<TokenRecord> TokenBook::load(ByteView key, ByteView value) {
  auto record = state_->open(key, value);
  if (!record) return record;
  record->capability.issuer = state_->owner;
  const TokenId id = record->capability.id;
  if (record_key(id) != base::to_bytes(key)) {
    return fail(Errc::corrupt, "a token record stands under the key of another");
  }
  state_->records.insert_or_assign(id, *record);
  return record;
}

void TokenBook::note_use(const TokenId& id, WallTime at) {
  if (const auto found = state_->records.find(id); found != state_->records.end()) {
    found->second.last_used = at;
  }
}

std::vector<TokenRecord> TokenBook::list() const {
  std::vector<TokenRecord> out;
  out.reserve(state_->records.size());
  for (const auto& [id, record] : state_->records) out.push_back(record);
  std::stable_sort(out.begin(), out.end(), [](const TokenRecord& a, const TokenRecord& b) {
    return a.created < b.created;
  });
  return out;
}

}  // namespace meshstow::access
