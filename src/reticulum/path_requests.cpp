#include "reticulum/path_requests.hpp"

#include "crypto/hash.hpp"

namespace meshstow::reticulum {

const DestinationHash& path_request_destination() {
  static const DestinationHash kHash = plain_destination_hash("rnstransport.path.request");
  return kHash;
}

Result<PathRequest> parse_path_request(ByteView data) {
  constexpr std::size_t kHash = Hash16::size();
  if (data.size() <= kHash) return fail(Errc::malformed, "path request without a tag");
  const ByteView tag = data.subspan(data.size() > 2 * kHash ? 2 * kHash : kHash);
  return PathRequest{Hash16::prefix_of(data), tag.first(std::min(tag.size(), kHash))};
}

void PathRequests::request(TimePoint now, const DestinationHash& destination, bool report) {
  const auto [known, is_new] = pending_.try_emplace(destination, Question{.asked = now});
  Question& question = known->second;
  question.report = question.report || report;
  if (!question.repeated) {
    due_.set(destination,
             question.asked + (question.report ? kPathRequestRepeat : kPathRequestTimeout));
  }
  if (is_new) ask(destination);
}

void PathRequests::ask(const DestinationHash& destination) {
  const Bytes data =
      base::concat({destination.view(), services_.rng.bytes<Hash16::size()>().view()});
  router_.broadcast({.destination_type = DestinationType::plain,
                     .destination = path_request_destination(),
                     .data = data});
}

void PathRequests::found(const DestinationHash& destination, std::uint8_t hops) {
  const auto known = pending_.find(destination);
  if (known == pending_.end()) return;
  if (known->second.report) services_.out.emit(PathFound{destination, hops});
  pending_.erase(known);
  due_.remove(destination);
}

std::optional<DestinationHash> PathRequests::give_up(TimePoint now) {
  while (const auto destination = due_.pop(now)) {
    const auto known = pending_.find(*destination);
    Question& question = known->second;
    const bool over = now >= question.asked + kPathRequestTimeout;
    if (question.report && !question.repeated && !over) {
      question.repeated = true;
      due_.set(*destination, question.asked + kPathRequestTimeout);
      ask(*destination);
      continue;
    }
    if (question.report) services_.out.emit(PathFailed{*destination});
    pending_.erase(known);
    return destination;
  }
  return std::nullopt;
}

bool PathRequests::first_time(const PathRequest& question) {
  const Hash16 id = crypto::hash16({question.wanted.view(), question.tag});
  if (!questions_.insert(id).second) return false;
  questions_in_order_.push_back(id);
  if (questions_in_order_.size() > limits::kPathRequestTags) {
    questions_.erase(questions_in_order_.front());
    questions_in_order_.pop_front();
  }
  return true;
}

}  // namespace meshstow::reticulum
