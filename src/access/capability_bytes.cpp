#include "access/capability_bytes.hpp"

#include "base/check.hpp"
#include "base/limits.hpp"

namespace meshstow::access {
namespace {

// First byte: two bits of format, holder, expiry, four bits of scope count less one.
constexpr Byte kFormat = 0x40;
constexpr Byte kFormatMask = 0xc0;
constexpr Byte kHasHolder = 0x20;
constexpr Byte kHasExpiry = 0x10;
constexpr Byte kCountMask = 0x0f;
static_assert(limits::kTokenScopes == kCountMask + 1);

// Seconds that still fit a WallTime with room to calculate: about the year 36,800.
constexpr std::uint64_t kLatestExpiry = (1ULL << 40) - 1;

// What a scope begins with; the rest of its subject follows as text.
struct ScopeKind {
  bool is_path;
  std::string_view prefix;
};
constexpr ScopeKind kScopeKinds[] = {
    {false, ""}, {true, "/private/"}, {true, "/shared/"}, {true, "/public/"}, {true, "/"},
};

void append_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<Byte>(value) | 0x80);
  out.push_back(static_cast<Byte>(value));
}

void append_scope(Bytes& out, const Scope& scope) {
  for (std::size_t kind = 0;; ++kind) {
    const auto& [is_path, prefix] = kScopeKinds[kind];
    if (is_path != scope.is_path() || !scope.subject().starts_with(prefix)) continue;
    const std::string_view rest = std::string_view(scope.subject()).substr(prefix.size());
    out.push_back(static_cast<Byte>(kind << 1 | (scope.right() == Operation::write ? 1 : 0)));
    append_varint(out, rest.size());
    base::append(out, base::as_bytes(rest));
    return;
  }
}

// A cursor that answers "not there" with nullopt.
class Cursor {
 public:
  explicit Cursor(ByteView input) : rest_(input) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  std::optional<ByteView> take(std::uint64_t count) {
    if (count > rest_.size()) return std::nullopt;
    const ByteView out = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  std::optional<Byte> byte() {
    const auto one = take(1);
    return one ? std::optional(one->front()) : std::nullopt;
  }
  template <std::size_t N>
  std::optional<FixedBytes<N>> fixed() {
    const auto bytes = take(N);
    return bytes ? FixedBytes<N>::from(*bytes) : std::nullopt;
  }
  std::optional<std::uint64_t> varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const auto next = byte();
      if (!next) return std::nullopt;
      out |= static_cast<std::uint64_t>(*next & 0x7f) << shift;
      if ((*next & 0x80) == 0) return out;
    }
    return std::nullopt;
  }

 private:
  ByteView rest_;
};

std::optional<Scope> read_scope(Cursor& cursor) {
  const auto head = cursor.byte();
  if (!head || *head >> 1 >= std::size(kScopeKinds)) return std::nullopt;
  const auto size = cursor.varint();
  const auto rest = size ? cursor.take(*size) : std::nullopt;
  if (!rest) return std::nullopt;
  const auto& [is_path, prefix] = kScopeKinds[*head >> 1];
  const Operation right = (*head & 1) != 0 ? Operation::write : Operation::read;
  const std::string subject = std::string(prefix).append(base::as_text(*rest));
  if (!is_path) {
    auto scope = Scope::module_scope(subject, right);
    return scope ? std::optional(std::move(*scope)) : std::nullopt;
  }
  const auto path = StoragePath::parse(subject);
  if (!path) return std::nullopt;
  auto scope = Scope::path_scope(right, *path);
  return scope ? std::optional(std::move(*scope)) : std::nullopt;
}

bool read_fields(Cursor& cursor, Byte flags, Capability& out) {
  const auto id = cursor.fixed<TokenId::size()>();
  const auto issuer = cursor.take(kIssuerPrefix);
  if (!id || !issuer) return false;
  out.id = *id;
  std::copy(issuer->begin(), issuer->end(), out.issuer.bytes.begin());
  if ((flags & kHasHolder) != 0) {
    out.holder = cursor.fixed<IdentityHash::size()>();
    if (!out.holder) return false;
  }
  if ((flags & kHasExpiry) != 0) {
    const auto seconds = cursor.varint();
    if (!seconds || *seconds > kLatestExpiry) return false;
    out.expires = base::wall_from_unix_seconds(static_cast<std::int64_t>(*seconds));
  }
  for (int left = (flags & kCountMask) + 1; left > 0; --left) {
    auto scope = read_scope(cursor);
    if (!scope) return false;
    out.scopes.push_back(std::move(*scope));
  }
  return cursor.at_end();
}

}  // namespace

Bytes encode_capability(const Capability& capability) {
  MESHSTOW_CHECK(!capability.scopes.empty() && capability.scopes.size() <= limits::kTokenScopes);
  Byte flags = kFormat | static_cast<Byte>(capability.scopes.size() - 1);
  if (capability.holder) flags |= kHasHolder;
  if (capability.expires) flags |= kHasExpiry;
  Bytes out{flags};
  base::append(out, capability.id.view());
  base::append(out, capability.issuer.view().first(kIssuerPrefix));
  if (capability.holder) base::append(out, capability.holder->view());
  if (capability.expires) {
    const std::int64_t seconds = std::max<std::int64_t>(0, base::unix_seconds(*capability.expires));
    append_varint(out, std::min(static_cast<std::uint64_t>(seconds), kLatestExpiry));
  }
  for (const Scope& scope : capability.scopes) append_scope(out, scope);
  return out;
}

Result<Capability> decode_capability(ByteView body) {
  Cursor cursor(body);
  const auto flags = cursor.byte();
  Capability out;
  if (!flags || (*flags & kFormatMask) != kFormat || !read_fields(cursor, *flags, out)) {
    return fail(Errc::malformed, "not a token");
  }
  // One capability has one spelling: no long numbers, no path under another kind.
  const Bytes again = encode_capability(out);
  if (!std::equal(again.begin(), again.end(), body.begin(), body.end())) {
    return fail(Errc::malformed, "not a token");
  }
  return out;
}

}  // namespace meshstow::access
