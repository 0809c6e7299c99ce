#include "node/client_links.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/hex.hpp"

namespace meshstow::node {
namespace {

constexpr Duration kPathTimeout = std::chrono::seconds(15);
constexpr Duration kIdleLink = std::chrono::seconds(60);

std::string in_brackets(const reticulum::DestinationHash& node) {
  return '<' + codec::to_hex(node.view()) + '>';
}

}  // namespace

ClientLinks::ClientLinks(reticulum::Endpoint& endpoint, ClientIdentities identities, Calls calls)
    : endpoint_(endpoint), identities_(identities), calls_(std::move(calls)) {}

const reticulum::Identity& ClientLinks::signer(As as) const {
  return as == As::owner ? *identities_.owner : *identities_.device;
}

// A link that is identified already serves those who would ask unidentified; one that is not can
// be.
ClientLinks::Entries::iterator ClientLinks::find_for(const reticulum::DestinationHash& node,
                                                     As as) {
  const auto serves = [&](const Entry& entry, bool exactly) {
    if (entry.node != node) return false;
    return entry.as == as || (!exactly && (as == As::nobody || entry.as == As::nobody));
  };
  const auto exact = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return serves(entry, true); });
  if (exact != entries_.end()) return exact;
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return serves(entry, false); });
}

ClientLinks::Entries::iterator ClientLinks::entry_of(OperationId operation) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return std::any_of(entry.users.begin(), entry.users.end(),
                       [&](const User& user) { return user.operation == operation; });
  });
}

bool ClientLinks::owns(const reticulum::LinkId& link) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.stage != Stage::finding && entry.link == link;
  });
}

void ClientLinks::want(Now now, OperationId operation, const reticulum::DestinationHash& node,
                       As as, TimePoint patient_until) {
  auto entry = find_for(node, as);
  const User user{.operation = operation, .patient_until = patient_until};
  if (entry != entries_.end()) {
    entry->users.push_back(user);
    if (entry->as == As::nobody && as != As::nobody) {
      entry->as = as;
      if (entry->stage == Stage::open) identify(now, *entry);
    }
    if (entry->stage == Stage::open) {
      entry->due = kNever;
      return start_users(now, *entry);
    }
    return calls_.stage(operation, entry->stage == Stage::finding ? ClientStage::finding_path
                                                                  : ClientStage::linking);
  }
  entry = entries_.insert(entries_.end(), Entry{.node = node, .as = as});
  entry->users.push_back(user);
  if (endpoint_.known(node) && endpoint_.hops_to(node)) return open(now, entry);
  find_path(now, *entry);
}

void ClientLinks::find_path(Now now, Entry& entry) {
  entry.due = now.mono + kPathTimeout;
  set_stage(entry, Stage::finding);
  if (interfaces_up_ > 0) endpoint_.request_path(now, entry.node);
}

void ClientLinks::interfaces_changed(Now now, std::size_t up) {
  const bool first = interfaces_up_ == 0 && up > 0;
  interfaces_up_ = up;
  if (!first) return;
  for (Entry& entry : entries_) {
    if (entry.stage == Stage::finding) find_path(now, entry);
  }
}

void ClientLinks::open(Now now, Entries::iterator entry) {
  entry->due = kNever;
  const auto link = endpoint_.open_link(now, entry->node);
  if (!link) {
    return fail(now, entry, link.error(),
                "no link to " + in_brackets(entry->node) + ": " + link.error().detail);
  }
  entry->link = *link;
  ++entry->links_tried;
  set_stage(*entry, Stage::linking);
}

void ClientLinks::set_stage(Entry& entry, Stage stage) {
  entry.stage = stage;
  for (const User& user : entry.users) {
    calls_.stage(user.operation,
                 stage == Stage::finding ? ClientStage::finding_path : ClientStage::linking);
  }
}

void ClientLinks::identify(Now now, const Entry& entry) {
  if (entry.as == As::nobody) return;
  // Fails only if the link has just gone, which LinkClosed tells.
  static_cast<void>(endpoint_.identify(now, entry.link, signer(entry.as)).has_value());
}

void ClientLinks::identify_again(Now now, OperationId operation) {
  const auto entry = entry_of(operation);
  if (entry == entries_.end() || entry->stage != Stage::open) return;
  if (entry->as == As::nobody) entry->as = As::device;
  identify(now, *entry);
}

void ClientLinks::start_users(Now now, Entry& entry) {
  for (;;) {
    const auto started = std::count_if(entry.users.begin(), entry.users.end(),
                                       [](const User& user) { return user.started; });
    const auto next = std::find_if(entry.users.begin(), entry.users.end(),
                                   [](const User& user) { return !user.started; });
    if (next == entry.users.end() ||
        static_cast<std::size_t>(started) >= limits::kRequestsPerLink) {
      return;
    }
    next->started = true;
    calls_.ready(now, next->operation, entry.link, signer(entry.as));
  }
}

void ClientLinks::release(Now now, OperationId operation) {
  const auto entry = entry_of(operation);
  if (entry == entries_.end()) return;
  entry->users.remove_if([&](const User& user) { return user.operation == operation; });
  if (entry->stage == Stage::finding && entry->users.empty()) return void(entries_.erase(entry));
  if (entry->stage != Stage::open) return;
  if (entry->users.empty()) entry->due = now.mono + kIdleLink;
  start_users(now, *entry);
}

void ClientLinks::fail(Now now, Entries::iterator entry, const Error& why,
                       const std::string& message) {
  // Out of the list first: those who hear of it may want a new link to the same node.
  const Entry gone = std::move(*entry);
  entries_.erase(entry);
  for (const User& user : gone.users) calls_.failed(now, user.operation, why, message);
}

// True: somebody waits longer than usual, so that it goes on from the path.
bool ClientLinks::look_again(Now now, Entry& entry) {
  const bool patient = std::any_of(entry.users.begin(), entry.users.end(), [&](const User& user) {
    return user.patient_until != kNever && now.mono < user.patient_until;
  });
  if (patient) find_path(now, entry);
  return patient;
}

void ClientLinks::fail_without_path(Now now, Entries::iterator entry) {
  if (look_again(now, *entry)) return;
  fail(now, entry, {Errc::not_found, "no path to the node"},
       "no path to " + in_brackets(entry->node) +
           (interfaces_up_ == 0 ? ": no interface is connected"
                                : ": is the node running and connected?"));
}

void ClientLinks::give_up_finding(Now now, Entries::iterator entry) {
  if (entry->links_tried > 0) return fail_unanswered(now, entry);
  fail_without_path(now, entry);
}

void ClientLinks::fail_unanswered(Now now, Entries::iterator entry) {
  if (look_again(now, *entry)) return;
  fail(now, entry, {Errc::timed_out, "the node does not answer"},
       "the node " + in_brackets(entry->node) + " does not answer");
}

void ClientLinks::on(Now now, const reticulum::PathFound& event) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto each = entry++;
    if (each->node != event.destination || each->stage != Stage::finding) continue;
    if (each->users.empty()) {
      entries_.erase(each);
    } else {
      open(now, each);
    }
  }
}

void ClientLinks::on(Now now, const reticulum::PathFailed& event) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto each = entry++;
    if (each->node != event.destination || each->stage != Stage::finding) continue;
    if (now.mono >= each->due) {
      give_up_finding(now, each);
    } else {  // an older question than ours went unanswered
      endpoint_.request_path(now, each->node);
    }
  }
}

void ClientLinks::on(Now now, const reticulum::LinkEstablished& event) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) {
    return each.stage == Stage::linking && each.link == event.link;
  });
  if (entry == entries_.end()) return;
  entry->stage = Stage::open;
  entry->due = entry->users.empty() ? now.mono + kIdleLink : kNever;
  identify(now, *entry);
  start_users(now, *entry);
}

void ClientLinks::on(Now now, const reticulum::LinkClosed& event) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& each) {
    return each.stage != Stage::finding && each.link == event.link;
  });
  if (entry == entries_.end()) return;
  if (entry->stage == Stage::open || entry->users.empty()) {
    return fail(now, entry, {Errc::unavailable, "the link was lost"}, "the link was lost");
  }
  if (event.reason == reticulum::CloseReason::no_path) return fail_without_path(now, entry);
  if (entry->links_tried >= kLinkTries) return fail_unanswered(now, entry);
  find_path(now, *entry);
}

void ClientLinks::handle_deadline(Now now) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto each = entry++;
    if (now.mono < each->due) continue;
    if (each->stage == Stage::finding) {
      give_up_finding(now, each);
    } else {
      const reticulum::LinkId link = each->link;
      entries_.erase(each);
      endpoint_.close_link(now, link);
    }
  }
}

TimePoint ClientLinks::deadline() const {
  TimePoint out = kNever;
  for (const Entry& entry : entries_) out = std::min(out, entry.due);
  return out;
}

}  // namespace meshstow::node
