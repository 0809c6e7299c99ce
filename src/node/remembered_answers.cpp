#include "node/remembered_answers.hpp"

#include <utility>

namespace meshstow::node {

const Bytes* RememberedAnswers::find(const Hash32& digest) const {
  const auto found = answers_.find(digest);
  return found == answers_.end() ? nullptr : &found->second;
}

void RememberedAnswers::keep(const Hash32& digest, Bytes answer) {
  // One large answer must not push out all the others; it is made again instead.
  if (answer.size() > limits::kRememberedAnswerBytes / 2 || answers_.contains(digest)) return;
  bytes_ += answer.size();
  order_.push_back(digest);
  answers_.emplace(digest, std::move(answer));
  while (order_.size() > limits::kRememberedAnswers || bytes_ > limits::kRememberedAnswerBytes) {
    const auto oldest = answers_.find(order_.front());
    bytes_ -= oldest->second.size();
    answers_.erase(oldest);
    order_.pop_front();
  }
}

bool RememberedAnswers::begin(const Hash32& digest, const Hash16& asker) {
  const auto [entry, is_new] = under_way_.try_emplace(digest);
  if (!is_new && entry->second.size() < limits::kRequestsPerLink) entry->second.push_back(asker);
  return is_new;
}

std::vector<Hash16> RememberedAnswers::end(const Hash32& digest, bool lasting) {
  const auto found = under_way_.find(digest);
  if (found == under_way_.end()) return {};
  if (lasting) done_.insert(digest);
  std::vector<Hash16> out = std::move(found->second);
  under_way_.erase(found);
  return out;
}

}  // namespace meshstow::node
