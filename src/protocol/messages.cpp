#include "protocol/messages.hpp"

#include <algorithm>

namespace meshstow::protocol {
namespace {

constexpr std::string_view kCodes[] = {"STORE001", "STORE002", "STORE003", "STORE004", "STORE005"};
constexpr int kFirstExitCode = 11;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view to_text(Operation operation) {
  switch (operation) {
    case Operation::get: return "GET";
    case Operation::put: return "PUT";
    case Operation::remove: return "DELETE";
  }
  return "";
}

std::string_view to_text(StoreCode code) { return kCodes[static_cast<std::size_t>(code)]; }

std::optional<StoreCode> store_code(std::string_view text) {
  const auto* found = std::find(std::begin(kCodes), std::end(kCodes), text);
  if (found == std::end(kCodes)) return std::nullopt;
  return static_cast<StoreCode>(found - std::begin(kCodes));
}

int exit_code(StoreCode code) { return kFirstExitCode + static_cast<int>(code); }

std::string_view Headers::bearer_token() const {
  // The name of an HTTP scheme is the same in any case (RFC 9110, 11.1).
  constexpr std::string_view kScheme = "bearer ";
  if (!authorization || authorization->size() < kScheme.size()) return {};
  const std::string_view text = *authorization;
  const bool is_bearer = std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                                    [](char a, char b) { return a == lower(b); });
  return is_bearer ? text.substr(kScheme.size()) : std::string_view();
}

}  // namespace meshstow::protocol
