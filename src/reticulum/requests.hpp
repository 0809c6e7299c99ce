// reticulum/requests.hpp: the requests of one link: ours that wait for an answer, theirs that wait
// for ours.
//
// Each of ours ends once: answered, or RequestTimedOut, or (if it could not be sent) the
// ContentUnsent of its transfer. Source: facts/reticulum.md 7.
#pragma once

#include <deque>
#include <vector>

#include "base/limits.hpp"
#include "reticulum/link_channel.hpp"

namespace meshstow::reticulum {

class Requests {
 public:
  explicit Requests(LinkChannel& channel) : channel_(channel) {}

  // ---- Ours.
  [[nodiscard]] bool full() const { return pending_.size() >= limits::kRequestsPerLink; }
  [[nodiscard]] bool pending(const RequestId& request) const { return find(request) != nullptr; }
  [[nodiscard]] Duration default_timeout() const;
  // In one packet: the clock runs. As a resource: it runs from sent_whole().
  void sent(TimePoint now, const RequestId& request, Duration timeout);
  void sending(const RequestId& request, Duration timeout);
  void sent_whole(TimePoint now, const RequestId& request);
  void unsent(const RequestId& request) { forget(request); }
  // An answer begins: true if it was waited for. It stops the clock.
  bool answer_begins(const RequestId& request);
  void answer_ended(const RequestId& request) { forget(request); }
  // An answer that began and was lost before anything of it was handed out.
  void answer_lost(const RequestId& request);

  // ---- Theirs.
  void received(TimePoint now, const RequestId& request);
  // When an answer that fits one packet may leave (EndpointOptions::quick_answer_delay).
  [[nodiscard]] TimePoint answer_due(TimePoint now, const RequestId& request) const;
  void answer(TimePoint now, const RequestId& request, Bytes packed);

  [[nodiscard]] TimePoint deadline() const;
  void handle_deadline(TimePoint now);
  // The link is closing.
  void fail_all();

 private:
  struct Pending {
    RequestId id;
    Duration timeout;
    TimePoint deadline = kNever;
    bool answered = false;
  };
  struct Received {
    RequestId id;
    TimePoint at;
  };
  struct Later {
    TimePoint due;
    Bytes packed;
  };
  [[nodiscard]] const Pending* find(const RequestId& request) const;
  [[nodiscard]] Pending* find(const RequestId& request);
  void forget(const RequestId& request);
  void time_out(const RequestId& request);

  LinkChannel& channel_;
  std::vector<Pending> pending_;
  std::deque<Received> received_;  // the latest few
  std::deque<Later> answers_;      // in order of leaving
};

}  // namespace meshstow::reticulum
