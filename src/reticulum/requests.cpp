#include "reticulum/requests.hpp"

namespace meshstow::reticulum {
namespace {

constexpr int kRoundTrips = 6;
constexpr Duration kGrace = std::chrono::milliseconds(11'250);

}  // namespace

const Requests::Pending* Requests::find(const RequestId& request) const {
  const auto found = std::find_if(pending_.begin(), pending_.end(),
                                  [&](const Pending& pending) { return pending.id == request; });
  return found == pending_.end() ? nullptr : &*found;
}

Requests::Pending* Requests::find(const RequestId& request) {
  return const_cast<Pending*>(std::as_const(*this).find(request));
}

void Requests::forget(const RequestId& request) {
  std::erase_if(pending_, [&](const Pending& pending) { return pending.id == request; });
}

void Requests::time_out(const RequestId& request) {
  const RequestId id = request;
  forget(id);
  channel_.services().out.emit(RequestTimedOut{channel_.id(), id});
}

Duration Requests::default_timeout() const { return kRoundTrips * channel_.round_trip() + kGrace; }

void Requests::sent(TimePoint now, const RequestId& request, Duration timeout) {
  pending_.push_back({.id = request, .timeout = timeout, .deadline = now + timeout});
}

void Requests::sending(const RequestId& request, Duration timeout) {
  pending_.push_back({.id = request, .timeout = timeout});
}

void Requests::sent_whole(TimePoint now, const RequestId& request) {
  Pending* pending = find(request);
  if (pending && !pending->answered) pending->deadline = now + pending->timeout;
}

bool Requests::answer_begins(const RequestId& request) {
  Pending* pending = find(request);
  if (!pending || pending->answered) return false;
  pending->answered = true;
  pending->deadline = kNever;
  return true;
}

void Requests::answer_lost(const RequestId& request) {
  if (find(request)) time_out(request);
}

void Requests::received(TimePoint now, const RequestId& request) {
  received_.push_back({request, now});
  if (received_.size() > limits::kRequestsPerLink) received_.pop_front();
}

TimePoint Requests::answer_due(TimePoint now, const RequestId& request) const {
  if (channel_.round_trip() >= kFastLink) return now;
  for (const Received& received : received_) {
    if (received.id == request) {
      return std::max(now, received.at + channel_.services().options.quick_answer_delay);
    }
  }
  return now;
}

void Requests::answer(TimePoint now, const RequestId& request, Bytes packed) {
  const TimePoint due = answer_due(now, request);
  if (due <= now) {
    channel_.send(now, PacketContext::response, packed);
    return;
  }
  const auto later = std::find_if(answers_.begin(), answers_.end(),
                                  [due](const Later& answer) { return answer.due > due; });
  answers_.insert(later, {due, std::move(packed)});
}

TimePoint Requests::deadline() const {
  TimePoint due = answers_.empty() ? kNever : answers_.front().due;
  for (const Pending& pending : pending_) due = std::min(due, pending.deadline);
  return due;
}

void Requests::handle_deadline(TimePoint now) {
  while (!answers_.empty() && answers_.front().due <= now) {
    channel_.send(now, PacketContext::response, answers_.front().packed);
    answers_.pop_front();
  }
  for (std::size_t i = 0; i < pending_.size();) {
    pending_[i].deadline <= now ? time_out(pending_[i].id) : void(++i);
  }
}

void Requests::fail_all() {
  answers_.clear();
  while (!pending_.empty()) {
    // An answer under way was failed as a content of its own.
    pending_.front().answered ? forget(RequestId(pending_.front().id))
                              : time_out(pending_.front().id);
  }
}

}  // namespace meshstow::reticulum
