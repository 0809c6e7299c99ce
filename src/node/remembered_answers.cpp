#include "node/remembered_answers.hpp"

#include <utility>

namespace meshstow::node {
namespace {

// What a table's entry takes besides the answer, and a digest among the writes done.
constexpr std::size_t kEntry = 256;
constexpr std::size_t kDigest = 64;

}  // namespace

const RememberedAnswers::Kept* RememberedAnswers::find(const Hash32& digest) const {
  const auto found = answers_.find(digest);
  return found == answers_.end() ? nullptr : &found->second;
}

void RememberedAnswers::keep(const Hash32& digest, protocol::Form form, Bytes answer) {
  // One large answer must not push out all the others; it is made again instead.
  if (answer.size() > limits::kRememberedAnswerBytes / 2 || answers_.contains(digest)) return;
  if (!held_.take(answer.size() + kEntry)) return;
  bytes_ += answer.size();
  order_.push_back(digest);
  answers_.emplace(digest, Kept{form, std::move(answer)});
  while (order_.size() > limits::kRememberedAnswers || bytes_ > limits::kRememberedAnswerBytes) {
    const auto oldest = answers_.find(order_.front());
    bytes_ -= oldest->second.value.size();
    held_.give_back(oldest->second.value.size() + kEntry);
    answers_.erase(oldest);
    order_.pop_front();
  }
}

RememberedAnswers::Begun RememberedAnswers::begin(const Hash32& digest, const Asker& asker) {
  if (const auto found = under_way_.find(digest); found != under_way_.end()) {
    if (found->second.size() < limits::kRequestsPerLink) found->second.push_back(asker);
    return Begun::repeated;
  }
  if (done_.size() >= limits::kWritesPerLink || !held_.take(kDigest)) return Begun::full;
  under_way_.try_emplace(digest);
  return Begun::first;
}

std::vector<Asker> RememberedAnswers::end(const Hash32& digest, bool lasting) {
  const auto found = under_way_.find(digest);
  if (found == under_way_.end()) return {};
  const bool is_new = lasting && done_.insert(digest).second;
  if (!is_new) held_.give_back(kDigest);
  std::vector<Asker> out = std::move(found->second);
  under_way_.erase(found);
  return out;
}

}  // namespace meshstow::node
