#include "storage/digests.hpp"

#include "codec/base64.hpp"
#include "crypto/hash.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kTagBytes = 12;
constexpr std::string_view kDocumentTag = "meshstow document tag";

// Every keyed hash begins with the key and one of these.
enum Purpose : Byte { kDocument = 1, kFolder = 2, kFolderTag = 3, kFingerprint = 4, kPiece = 5 };

ETag tag_of(const Hash32& hash) { return ETag(codec::to_base64url(hash.view().first(kTagBytes))); }

void append_version(Bytes& out, const VersionId& version) {
  base::append(out, version.log.view());
  base::append_big_endian(out, version.sequence);
}

Bytes begin_keyed(const Hash32& key, Purpose purpose) {
  Bytes out;
  out.reserve(128);
  base::append(out, key.view());
  out.push_back(purpose);
  return out;
}

}  // namespace

void add(Hash32& sum, const Hash32& term) {
  unsigned carry = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    carry += sum.bytes[i] + term.bytes[i];
    sum.bytes[i] = static_cast<Byte>(carry);
    carry >>= 8;
  }
}

void subtract(Hash32& sum, const Hash32& term) {
  unsigned borrow = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    const unsigned difference = 256U + sum.bytes[i] - term.bytes[i] - borrow;
    sum.bytes[i] = static_cast<Byte>(difference);
    borrow = difference < 256U ? 1 : 0;
  }
}

ETag document_etag(const VersionId& version) {
  Bytes input;
  input.reserve(kDocumentTag.size() + version.log.size() + sizeof version.sequence);
  base::append(input, base::as_bytes(kDocumentTag));
  append_version(input, version);
  return tag_of(crypto::sha256(input));
}

Hash32 extend_list(const Hash32& list_so_far, const Hash32& address, std::uint64_t size) {
  Bytes input;
  base::append(input, list_so_far.view());
  base::append(input, address.view());
  base::append_big_endian(input, size);
  return crypto::sha256(input);
}

Hash32 Digests::of_document(std::string_view name, const VersionId& version) const {
  Bytes input = begin_keyed(key_, kDocument);
  append_version(input, version);
  base::append(input, base::as_bytes(name));
  return crypto::sha256(input);
}

Hash32 Digests::of_folder(std::string_view name, const Hash32& digest) const {
  Bytes input = begin_keyed(key_, kFolder);
  base::append(input, digest.view());
  base::append(input, base::as_bytes(name));
  return crypto::sha256(input);
}

ETag Digests::folder_etag(const Hash32& digest) const {
  Bytes input = begin_keyed(key_, kFolderTag);
  base::append(input, digest.view());
  return tag_of(crypto::sha256(input));
}

Fingerprint Digests::fingerprint(const Hash32& root, const CausalContext& clock) const {
  Bytes input = begin_keyed(key_, kFingerprint);
  base::append(input, root.view());
  for (const VersionId& seen : clock) append_version(input, seen);
  return Fingerprint::prefix_of(crypto::sha256(input).view());
}

Hash16 Digests::piece_seal(const Hash16& body, std::uint64_t offset, std::uint64_t size,
                           const Hash32& address) const {
  Bytes input = begin_keyed(key_, kPiece);
  base::append(input, body.view());
  base::append_big_endian(input, offset);
  base::append_big_endian(input, size);
  base::append(input, address.view());
  return crypto::hash16(input);
}

}  // namespace meshstow::storage
