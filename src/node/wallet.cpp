#include "node/wallet.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace meshstow::node {
namespace {

bool covers(const access::Scope& held, const access::Scope& wanted) {
  if (wanted.right() == access::Operation::write && held.right() == access::Operation::read) {
    return false;
  }
  if (wanted.is_path()) {
    const auto path = StoragePath::parse(wanted.subject());
    return path && held.permits(wanted.right(), *path);
  }
  if (held.is_path()) return held.subject() == "/";
  return held.subject() == "*" || held.subject() == wanted.subject();
}

}  // namespace

void Wallet::add(std::string text) {
  auto says = access::peek_token(text);
  if (!says) return;
  std::erase_if(tokens_, [&](const Token& each) { return each.text == text; });
  tokens_.push_back({std::move(text), std::move(*says)});
  if (tokens_.size() > limits::kWallet) tokens_.pop_front();
}

template <class Permits>
std::optional<std::string> Wallet::newest(WallTime now, const Permits& permits) const {
  const auto found = std::find_if(tokens_.rbegin(), tokens_.rend(), [&](const Token& token) {
    const bool expired = token.says.expires && *token.says.expires <= now;
    return !expired && std::any_of(token.says.scopes.begin(), token.says.scopes.end(), permits);
  });
  if (found == tokens_.rend()) return std::nullopt;
  return found->text;
}

std::optional<std::string> Wallet::find(access::Operation right, const StoragePath& path,
                                        WallTime now) const {
  return newest(now, [&](const access::Scope& scope) { return scope.permits(right, path); });
}

std::optional<std::string> Wallet::find(const access::Scope& scope, WallTime now) const {
  return newest(now, [&](const access::Scope& held) { return covers(held, scope); });
}

}  // namespace meshstow::node
