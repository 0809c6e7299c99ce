// node/remembered_answers.hpp: the answers given on one link, by the digest of their requests.
//
// RNS clients lose answers and ask again, in a new packet with the same signed message. A write is
// not done twice: its repeat gets the first answer, and waits for it while the first is executed.
// Bounded by limits::kRememberedAnswers and kRememberedAnswerBytes: the oldest answers go first.
// That a write was done is remembered longer, so that its repeat is never done again: up to
// kWritesPerLink, then full() means that the peer needs a new link, on which old messages are
// worthless.
#pragma once

#include <deque>
#include <map>
#include <unordered_set>
#include <vector>

#include "base/bytes.hpp"
#include "base/limits.hpp"

namespace meshstow::node {

class RememberedAnswers {
 public:
  [[nodiscard]] const Bytes* find(const Hash32& digest) const;
  void keep(const Hash32& digest, Bytes answer);

  // A write that begins. False: it is under way already, and `asker` will get its answer.
  [[nodiscard]] bool begin(const Hash32& digest, const Hash16& asker);
  // It is answered: who else waits for it. `lasting`: it is not to be executed again.
  [[nodiscard]] std::vector<Hash16> end(const Hash32& digest, bool lasting);
  [[nodiscard]] bool is_done(const Hash32& digest) const { return done_.contains(digest); }
  [[nodiscard]] bool full() const { return done_.size() >= limits::kWritesPerLink; }

 private:
  std::map<Hash32, Bytes> answers_;
  std::deque<Hash32> order_;
  std::size_t bytes_ = 0;
  std::map<Hash32, std::vector<Hash16>> under_way_;
  std::unordered_set<Hash32, base::FixedBytesHash> done_;
};

}  // namespace meshstow::node
