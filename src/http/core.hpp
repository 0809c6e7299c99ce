// http/core.hpp: what the exchanges of one service share. Internal to src/http.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "access/revocation.hpp"
#include "codec/hex.hpp"
#include "http/authority.hpp"
#include "http/authorization_codes.hpp"
#include "http/listing_cache.hpp"
#include "http/live_changes.hpp"
#include "http/rate_limit.hpp"
#include "http/service.hpp"

namespace meshstow::http {

struct Core {
  Core(ServiceConfig the_config, access::TokenBook& book, access::AccessControl& the_control,
       base::Rng& the_rng)
      : config(std::move(the_config)),
        tokens(book),
        control(the_control),
        revoker(book, the_control),
        rng(the_rng),
        cache(the_control, book),
        sessions(the_rng) {
    live.start(codec::to_hex(the_rng.bytes<4>()));
  }

  ServiceConfig config;
  access::TokenBook& tokens;
  access::AccessControl& control;
  access::Revoker revoker;
  base::Rng& rng;
  TokenCache cache;
  Sessions sessions;
  FailureLimiter token_failures;
  FailureLimiter passphrase_failures;
  AuthorizationCodes codes;
  LiveChanges live;
  ListingCache listings;
  std::map<std::string, AppManifest> apps;
  std::optional<PassphraseVerifier> passphrase;
  std::map<access::TokenId, std::size_t> uploads;  // under way, of each token
  std::map<std::uint64_t, WorkProgress> work;      // what is going on, by id
  std::uint64_t last_work = 0;                     // even: see Service::report

  [[nodiscard]] access::Verdict check(Now now, const Authority& authority, const StoragePath& path,
                                      access::Operation operation) const {
    return authority.check(now, cache, sessions, path, operation);
  }
  [[nodiscard]] bool is_live(Now now, const Authority& authority) const {
    return authority.is_live(now, cache, sessions);
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
  std::size_t endpoint = 0;
  std::string host;  // the name of ours that was asked
};

}  // namespace meshstow::http
