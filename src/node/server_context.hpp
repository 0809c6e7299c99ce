// node/server_context.hpp: what everything that serves the requests of others works with.
#pragma once

#include <functional>

#include "access/access_control.hpp"
#include "access/token_book.hpp"
#include "base/limits.hpp"
#include "base/shares.hpp"
#include "node/store_port.hpp"
#include "reticulum/endpoint.hpp"

namespace meshstow::node {

// What is held for the requests of others, by kind.
inline constexpr base::Bound kMessagesBound{.name = "messages",
                                            .whole = limits::kHeldMessages,
                                            .of_owner = limits::kHeldMessagesOfOwner,
                                            .of_strangers = limits::kHeldMessagesOfStrangers,
                                            .of_stranger = limits::kHeldMessagesOfStranger};
inline constexpr base::Bound kAnswersBound{.name = "answers",
                                           .whole = limits::kHeldAnswers,
                                           .of_owner = limits::kHeldAnswersOfOwner,
                                           .of_strangers = limits::kHeldAnswersOfStrangers,
                                           .of_stranger = limits::kHeldAnswersOfStranger};
inline constexpr base::Bound kRememberedBound{.name = "remembered",
                                              .whole = limits::kHeldRemembered,
                                              .of_owner = limits::kHeldRememberedOfOwner};

// A document was changed by a request.
using OnChange =
    std::function<void(Now, const StoragePath& path, const storage::ETag& etag, bool deleted)>;

// All of it outlives its users.
struct ServerContext {
  reticulum::Endpoint& endpoint;
  StorePort& store;
  access::AccessControl& access;
  access::TokenBook& tokens;
  const reticulum::Identity& device;  // signs the answers
  reticulum::IdentityHash owner;      // of the space
  const access::KeyRing& keys;
  const access::SpaceKey& space_key;  // seals what leaves
  base::Rng& rng;
  storage::Uploads& uploads;  // of the store
  OnChange on_change;
  base::Shares messages{kMessagesBound};      // bytes of requests that come in
  base::Shares answers{kAnswersBound};        // bytes of answers that are made, or not yet taken
  base::Shares remembered{kRememberedBound};  // bytes of answers given, and of writes done

  // Whose share a request counts against, once it is decided; `before`: as far as it was known.
  [[nodiscard]] base::Holder holder(const std::optional<reticulum::IdentityHash>& user,
                                    const std::optional<access::TokenId>& token,
                                    const base::Holder& before) const;
};

}  // namespace meshstow::node
