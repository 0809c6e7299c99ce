// http/download_tickets.hpp: addresses that give one document once.
//
// A download is a navigation, which cannot prove a session; so a signed call makes a ticket first.
// In memory, for kTicketLifetime. Internal to src/http.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "codec/storage_path.hpp"
#include "http/sessions.hpp"

namespace meshstow::http {

inline constexpr std::chrono::seconds kTicketLifetime{60};

class DownloadTickets {
 public:
  struct Ticket {
    SessionId session;
    StoragePath path;
  };
  // The text of a new one. The oldest goes when there are limits::kDownloadTickets.
  std::string add(Now now, base::Rng& rng, Ticket ticket);
  // nullopt: unknown, spent or too old.
  std::optional<Ticket> spend(Now now, std::string_view text);

 private:
  struct Entry {
    std::string text;
    Ticket ticket;
    TimePoint expires;
  };
  std::deque<Entry> entries_;  // oldest first
};

}  // namespace meshstow::http
