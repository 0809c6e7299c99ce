#include <algorithm>

#include "codec/hash_text.hpp"
#include "io/commands.hpp"

namespace meshstow::io {
namespace {

constexpr std::string_view kHowLong = "; a hash has 32 hexadecimal digits, or a unique beginning";

// The one hash of a node that was heard, or its identity, that begins with what `text` says.
template <class Hash>
tl::expected<Hash, std::string> find_beginning(NodeHost& host, std::string_view text,
                                               Hash node::PeerInfo::*hash, std::string_view what) {
  std::vector<Hash> found;
  const auto digits = codec::hash_digits(text);
  for (const node::PeerInfo& peer : host.node().peers()) {
    const bool fits = digits && codec::to_hex(peer.*hash).starts_with(*digits);
    if (fits && std::ranges::find(found, peer.*hash) == found.end()) found.push_back(peer.*hash);
  }
  if (found.size() == 1) return found.front();
  if (!found.empty()) {
    return tl::unexpected("several " + std::string(what) + " begin with " + std::string(text));
  }
  return tl::unexpected("none of the " + std::string(what) + " heard is " + std::string(text) +
                        std::string(kHowLong));
}

}  // namespace

tl::expected<reticulum::DestinationHash, std::string> find_node(NodeHost& host,
                                                                std::string_view text) {
  if (const auto whole = codec::hash_from_text<16>(text)) return *whole;
  const auto& names = host.home().settings().peers;
  if (const auto named = names.find(std::string(text)); named != names.end()) return named->second;
  return find_beginning(host, text, &node::PeerInfo::destination, "nodes");
}

tl::expected<Hash16, std::string> find_identity(NodeHost& host, std::string_view text) {
  const auto& peers = host.node().peers();
  const auto& names = host.home().settings().peers;
  const auto whole = codec::hash_from_text<16>(text);
  const auto named = names.find(std::string(text));
  const auto peer = std::ranges::find_if(peers, [&](const node::PeerInfo& each) {
    return whole ? each.destination == *whole
                 : named != names.end() && each.destination == named->second;
  });
  if (peer != peers.end()) return peer->identity;
  if (whole) return *whole;
  if (named != names.end()) {
    return tl::unexpected("the node " + std::string(text) +
                          " has not been heard: give its identity, 32 hexadecimal digits");
  }
  return find_beginning(host, text, &node::PeerInfo::identity, "identities");
}

}  // namespace meshstow::io
