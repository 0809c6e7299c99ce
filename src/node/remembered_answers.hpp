// node/remembered_answers.hpp: the answers given on one link, by the digest of their requests.
//
// RNS clients lose answers and ask again, in a new packet with the same signed message, perhaps in
// another encoding. A write is not done twice: its repeat gets the first answer, and waits for it
// while the first is executed. Bounded by limits::kRememberedAnswers and kRememberedAnswerBytes:
// the oldest answers go first. That a write was done is remembered longer, so that its repeat is
// never done again: up to kWritesPerLink or as long as the share of ServerContext::remembered has
// room, then the peer needs a new link, on which old messages are worthless.
#pragma once

#include <deque>
#include <map>
#include <unordered_set>
#include <vector>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/shares.hpp"
#include "node/answers.hpp"

namespace meshstow::node {

class RememberedAnswers {
 public:
  RememberedAnswers(base::Shares& remembered, const base::Holder& who) : held_(remembered, who) {}

  // Who is at the other end of the link is known now.
  void belongs_to(const base::Holder& who) { held_.pass_to(who); }

  struct Kept {
    protocol::Form form = protocol::Form::msgpack;
    Bytes value;
  };
  [[nodiscard]] const Kept* find(const Hash32& digest) const;
  void keep(const Hash32& digest, protocol::Form form, Bytes answer);

  enum class Begun { first, repeated, full };
  // A write that begins. `repeated`: it is under way already, and `asker` will get its answer.
  // `full`: it could not be remembered, so it must not be done.
  [[nodiscard]] Begun begin(const Hash32& digest, const Asker& asker);
  // It is answered: who else waits for it. `lasting`: it is not to be executed again.
  [[nodiscard]] std::vector<Asker> end(const Hash32& digest, bool lasting);
  [[nodiscard]] bool is_done(const Hash32& digest) const { return done_.contains(digest); }

 private:
  base::Share held_;
  std::map<Hash32, Kept> answers_;
  std::deque<Hash32> order_;
  std::size_t bytes_ = 0;
  std::map<Hash32, std::vector<Asker>> under_way_;
  std::unordered_set<Hash32, base::FixedBytesHash> done_;
};

}  // namespace meshstow::node
