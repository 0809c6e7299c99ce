#include "http/download_tickets.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/base64.hpp"

namespace meshstow::http {

std::string DownloadTickets::add(Now now, base::Rng& rng, Ticket ticket) {
  if (entries_.size() == limits::kDownloadTickets) entries_.pop_front();
  std::string text = codec::to_base64url(rng.bytes<24>().view());
  entries_.push_back({text, std::move(ticket), now.mono + kTicketLifetime});
  return text;
}

std::optional<DownloadTickets::Ticket> DownloadTickets::spend(Now now, std::string_view text) {
  const auto found = std::ranges::find(entries_, text, &Entry::text);
  if (found == entries_.end()) return std::nullopt;
  Entry entry = std::move(*found);
  entries_.erase(found);
  if (entry.expires <= now.mono) return std::nullopt;
  return std::move(entry.ticket);
}

}  // namespace meshstow::http
