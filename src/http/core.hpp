// http/core.hpp: what the exchanges of one service share. Internal to src/http.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "access/revocation.hpp"
#include "base/limits.hpp"
#include "base/shares.hpp"
#include "codec/hex.hpp"
#include "http/authority.hpp"
#include "http/authorization_codes.hpp"
#include "http/download_tickets.hpp"
#include "http/listing_cache.hpp"
#include "http/live_changes.hpp"
#include "http/rate_limit.hpp"
#include "http/service.hpp"
#include "http/signed_calls.hpp"

namespace meshstow::http {

inline constexpr base::Bound kReadsBound{.name = "reads",
                                         .whole = limits::kHttpReads,
                                         .of_owner = limits::kHttpReadsOfOwner,
                                         .of_strangers = limits::kHttpReadsOfStrangers,
                                         .of_stranger = limits::kHttpReadsOfStrangers};

struct Core {
  Core(ServiceConfig the_config, access::TokenBook& book, access::AccessControl& the_control,
       storage::Uploads& for_uploads, base::Rng& the_rng)
      : config(std::move(the_config)),
        tokens(book),
        control(the_control),
        uploads(for_uploads),
        revoker(book, the_control),
        rng(the_rng),
        cache(the_control, book),
        sessions(the_rng),
        calls(the_rng) {
    live.start(codec::to_hex(the_rng.bytes<4>()));
  }

  ServiceConfig config;
  access::TokenBook& tokens;
  access::AccessControl& control;
  storage::Uploads& uploads;  // of the store
  access::Revoker revoker;
  base::Rng& rng;
  TokenCache cache;
  Sessions sessions;
  SignedCalls calls;
  DownloadTickets downloads;
  FailureLimiter token_failures;
  FailureLimiter passphrase_failures;
  AuthorizationCodes codes;
  LiveChanges live;
  ListingCache listings;
  std::map<std::string, AppManifest> apps;
  std::optional<PassphraseVerifier> passphrase;
  base::Shares reads{kReadsBound};             // documents that are sent in pieces
  std::uint64_t strangers = 0;                 // that ever read one
  std::map<std::uint64_t, WorkProgress> work;  // what is going on, by id
  std::uint64_t last_work = 0;                 // even: see Service::report

  [[nodiscard]] access::Verdict check(Now now, const Authority& authority, const StoragePath& path,
                                      access::Operation operation) const {
    return authority.check(now, cache, sessions, path, operation);
  }
  [[nodiscard]] bool is_live(Now now, const Authority& authority) const {
    return authority.is_live(now, cache, sessions);
  }
  // A token that the store did not take: nobody has its text, and no list shows it.
  void drop_token(Now now, const access::TokenId& id) {
    if (auto revocation = revoker.begin(now, id)) revocation->finish(/*stored=*/true);
  }
  // What is told to the world: the public address if there is one, else that of the listener.
  [[nodiscard]] const Endpoint& shown_endpoint(std::size_t listener) const {
    return config.endpoints.at(config.public_endpoint.value_or(listener));
  }
  // Ids that the node's own uploads (small numbers) cannot have.
  storage::UploadId new_upload_id() { return rng.next_u64() | (1ULL << 63); }
};

// What an exchange keeps of its request.
struct Context {
  bool is_head = false;
  bool cors = false;        // headers for apps of other origins
  bool attachment = false;  // the dashboard's downloads: saved, never shown
  std::string origin;       // the Origin header
  PeerAddress peer{};
  std::size_t endpoint = 0;  // through which it came: index in ServiceConfig::endpoints
  bool proxied = false;      // it is the public one: the peer is a proxy
  bool at_store = false;     // under the name store.localhost
  bool user_side = false;    // in the origin of the dashboard: nothing stored is shown there
  std::optional<Hash32> signed_body;  // of the only body that the proof of the call is good for
  std::string asked;                  // the origin of ours that was asked: "http://localhost:8181"
};

// Whose failures are counted together: those of an address; those of one secret where everybody
// comes from the address of a proxy.
PeerAddress failure_key(const Context& context, std::string_view secret);

}  // namespace meshstow::http
