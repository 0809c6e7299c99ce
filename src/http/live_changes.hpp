// http/live_changes.hpp: server-sent events: what changed, to whom may know it, as it happens.
//
// One stream = one EventStream exchange that stays open. Events: `ready` at the start, `change`
// with
// {"path", "etag", "deleted"}, `reset` when changes were missed, and for the dashboard `work` and
// `state`. Ids let a client that comes back hear what it missed, from limits::kRememberedChanges.
// Each event is checked against the stream's authority when it is sent.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>

#include "base/limits.hpp"
#include "base/shares.hpp"
#include "http/authority.hpp"
#include "http/exchange.hpp"

namespace meshstow::http {

struct Core;
struct Context;
class EventStream;

inline constexpr base::Bound kStreamsBound{.name = "event streams",
                                           .whole = limits::kEventStreams,
                                           .of_owner = limits::kEventStreamsOfOwner};

class LiveChanges {
 public:
  struct Change {
    std::uint64_t number = 0;
    StoragePath path;
    storage::ETag etag;
    bool deleted = false;
  };

  // `run` tells the ids of this run from those of an earlier one.
  void start(std::string run) { run_ = std::move(run); }
  [[nodiscard]] const std::string& run() const { return run_; }
  void add(EventStream* stream) { streams_.insert(stream); }
  void remove(EventStream* stream) { streams_.erase(stream); }
  [[nodiscard]] const base::Shares& places() const { return places_; }

  void changed(Now now, const StoragePath& path, const storage::ETag& etag, bool deleted);
  // To the dashboard's streams only. `json` is one line.
  void tell_dashboard(Now now, std::string_view event, const std::string& json);
  void handle_deadline(Now now);

  [[nodiscard]] const std::deque<Change>& remembered() const { return remembered_; }
  [[nodiscard]] std::uint64_t last_number() const { return last_number_; }

 private:
  std::string run_;
  base::Shares places_{kStreamsBound};
  std::set<EventStream*> streams_;
  std::deque<Change> remembered_;
  std::uint64_t last_number_ = 0;
};

class EventStream final : public Exchange {
 public:
  // Changes below `folder`. `place`: its own. `last_event`: the Last-Event-ID header.
  EventStream(Core& core, const Context& context, std::unique_ptr<base::Share> place,
              Authority authority, StoragePath folder, Now now, std::string_view last_event);
  ~EventStream() override;

  [[nodiscard]] bool is_stream() const override { return true; }
  void offer(Now now, const LiveChanges::Change& change);
  void offer_to_dashboard(Now now, std::string_view event, const std::string& json);
  void handle_deadline(Now now);

 protected:
  void on_sent(Now now) override;

 private:
  void begin(const Context& context);
  void catch_up(Now now, std::string_view last_event);
  [[nodiscard]] bool may_see(Now now, const LiveChanges::Change& change) const;
  [[nodiscard]] std::string text_of(const LiveChanges::Change& change) const;
  void push(std::string_view text);
  bool end_if_revoked(Now now);

  Core& core_;
  std::unique_ptr<base::Share> place_;
  Authority authority_;
  StoragePath folder_;
  std::string pending_;
  bool sending_ = false;
  TimePoint last_sent_{};
};

// A stream, or 503 where its holder has as many as he can.
std::unique_ptr<Exchange> begin_events(Core& core, const Context& context, Authority authority,
                                       StoragePath folder, Now now, const Request& request);

}  // namespace meshstow::http
