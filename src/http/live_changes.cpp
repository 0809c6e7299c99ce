#include "http/live_changes.hpp"

#include <charconv>

#include "base/limits.hpp"
#include "http/content_type.hpp"
#include "http/core.hpp"
#include "http/json_text.hpp"
#include "http/replies.hpp"
#include "http/target.hpp"

namespace meshstow::http {
namespace {

// Proxies and clients take a silent connection for dead.
constexpr std::chrono::seconds kHeartbeat{15};

std::string event_text(std::string_view id, std::string_view name, std::string_view data) {
  std::string out;
  if (!id.empty()) (out += "id: ").append(id) += '\n';
  (out += "event: ").append(name) += "\ndata: ";
  out.append(data) += "\n\n";
  return out;
}

// The streams may go while they are called: work on a copy that is checked against the set.
template <class Fn>
void for_each_stream(const std::set<EventStream*>& streams, Fn fn) {
  const std::vector<EventStream*> copy(streams.begin(), streams.end());
  for (EventStream* stream : copy) {
    if (streams.contains(stream)) fn(*stream);
  }
}

}  // namespace

void LiveChanges::changed(Now now, const StoragePath& path, const storage::ETag& etag,
                          bool deleted) {
  remembered_.push_back({++last_number_, path, etag, deleted});
  if (remembered_.size() > limits::kRememberedChanges) remembered_.pop_front();
  for_each_stream(streams_, [&](EventStream& stream) { stream.offer(now, remembered_.back()); });
}

void LiveChanges::tell_dashboard(Now now, std::string_view event, const std::string& json) {
  for_each_stream(streams_,
                  [&](EventStream& stream) { stream.offer_to_dashboard(now, event, json); });
}

void LiveChanges::handle_deadline(Now now) {
  for_each_stream(streams_, [&](EventStream& stream) { stream.handle_deadline(now); });
}

std::unique_ptr<Exchange> begin_events(Core& core, const Context& context, Authority authority,
                                       StoragePath folder, Now now, const Request& request) {
  auto place = std::make_unique<base::Share>(core.live.places(), authority.holder());
  if (!place->take()) {
    return std::make_unique<ImmediateExchange>(
        busy_reply(context, "There are too many event streams."), context.is_head);
  }
  return std::make_unique<EventStream>(core, context, std::move(place), std::move(authority),
                                       std::move(folder), now,
                                       request.header("Last-Event-ID").value_or(""));
}

EventStream::EventStream(Core& core, const Context& context, std::unique_ptr<base::Share> place,
                         Authority authority, StoragePath folder, Now now,
                         std::string_view last_event)
    : core_(core),
      place_(std::move(place)),
      authority_(std::move(authority)),
      folder_(std::move(folder)),
      last_sent_(now.mono) {
  core_.live.add(this);
  begin(context);
  catch_up(now, last_event);
}

EventStream::~EventStream() { core_.live.remove(this); }

void EventStream::begin(const Context& context) {
  ResponseHead head;
  head.framing = Framing::chunked;
  head.headers.add("Content-Type", "text/event-stream");
  head.headers.add("Cache-Control", "no-store");
  add_context_headers(head.headers, context);
  add_sandbox(head.headers);
  sending_ = true;
  send({.head = std::move(head), .body = std::string("retry: 2000\n\n"), .last = false});
}

void EventStream::catch_up(Now now, std::string_view last_event) {
  const std::string here = core_.live.run() + "-";
  const std::string last = here + std::to_string(core_.live.last_number());
  const auto& remembered = core_.live.remembered();
  std::uint64_t seen = 0;
  bool known = false;
  if (last_event.starts_with(here)) {
    const std::string_view digits = last_event.substr(here.size());
    known = std::from_chars(digits.data(), digits.data() + digits.size(), seen).ec == std::errc();
  }
  const std::uint64_t oldest =
      remembered.empty() ? core_.live.last_number() + 1 : remembered.front().number;
  if (!last_event.empty() && (!known || seen + 1 < oldest)) {
    push(event_text(last, "reset", "{}"));
    return;
  }
  push(event_text(last_event.empty() ? last : std::string_view(), "ready", "{}"));
  if (last_event.empty()) return;
  for (const LiveChanges::Change& change : remembered) {
    if (change.number > seen) offer(now, change);
  }
}

bool EventStream::may_see(Now now, const LiveChanges::Change& change) const {
  return folder_.covers(change.path) &&
         core_.check(now, authority_, change.path, access::Operation::read) ==
             access::Verdict::allowed;
}

std::string EventStream::text_of(const LiveChanges::Change& change) const {
  const auto path = client_path(change.path);
  if (!path) return {};
  const std::string data = "{\"path\":" + json_string(*path) +
                           ",\"etag\":" + json_string(change.etag.text()) +
                           ",\"deleted\":" + (change.deleted ? "true" : "false") + "}";
  return event_text(core_.live.run() + "-" + std::to_string(change.number), "change", data);
}

bool EventStream::end_if_revoked(Now now) {
  if (core_.is_live(now, authority_)) return false;
  core_.live.remove(this);
  send({.head = {}, .body = std::string_view(), .last = true});
  wake();
  return true;
}

void EventStream::offer(Now now, const LiveChanges::Change& change) {
  if (finished() || aborted() || end_if_revoked(now) || !may_see(now, change)) return;
  push(text_of(change));
}

void EventStream::offer_to_dashboard(Now now, std::string_view event, const std::string& json) {
  if (!authority_.session() || finished() || aborted() || end_if_revoked(now)) return;
  push(event_text({}, event, json));
}

void EventStream::push(std::string_view text) {
  if (text.empty()) return;
  if (pending_.size() + text.size() > limits::kEventBacklog) {
    // The client has stopped reading. It comes back with Last-Event-ID and is told what it missed.
    core_.live.remove(this);
    break_off();
    wake();
    return;
  }
  pending_ += text;
  if (sending_) return;
  sending_ = true;
  send({.head = {}, .body = std::exchange(pending_, {}), .last = false});
  wake();
}

void EventStream::on_sent(Now now) {
  sending_ = false;
  last_sent_ = now.mono;
  if (pending_.empty()) return;
  sending_ = true;
  send({.head = {}, .body = std::exchange(pending_, {}), .last = false});
}

void EventStream::handle_deadline(Now now) {
  if (finished() || aborted() || end_if_revoked(now)) return;
  if (!sending_ && now.mono - last_sent_ >= kHeartbeat) push(": still here\n\n");
}

}  // namespace meshstow::http
