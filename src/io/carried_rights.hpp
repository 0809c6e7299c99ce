// io/carried_rights.hpp: what stays in force when a copy takes the place of a store, so that an
// older state gives nobody back what was taken since: revocations, the records of tokens made since
// (which could not be revoked by name else), the passphrase, the time in announces. Sessions of
// neither: nobody is signed in afterwards. Internal to io.
#pragma once

#include "io/home.hpp"

namespace meshstow::io {

struct CarriedRights {
  std::size_t revocations = 0;  // of tokens that are live in the copy, or unknown to it
  std::size_t tokens = 0;       // live ones that the copy does not know
  bool has_passphrase = false;  // from now on
  std::string lost;             // why the store that is replaced says nothing; empty: it was read
};

// Reads the store that lies in `home`, and writes into the copy. The error is for people.
[[nodiscard]] tl::expected<CarriedRights, std::string> carry_rights(const Home& home,
                                                                    storage::RemoteStorage& copy,
                                                                    base::Rng& rng);

}  // namespace meshstow::io
