#include "base/shares.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace meshstow::base {

struct Shares::Table {
  explicit Table(const Bound& of) : bound(of) {}

  [[nodiscard]] bool take(Share& share, std::size_t amount);
  [[nodiscard]] bool has_room(const Holder& who, std::size_t amount) const;
  [[nodiscard]] bool make_room(Share& share, std::size_t amount);
  [[nodiscard]] std::size_t held_by(const Holder& who) const;
  void count(const Holder& who, std::size_t amount);
  void uncount(const Holder& who, std::size_t amount);
  std::size_t& of_kind(Holder::Kind kind);

  Bound bound;
  BoundCounts counts;
  std::map<Holder, std::size_t> held;
  std::list<Share*> order;  // strangers that can be evicted; first the one that moved longest ago
};

Shares::Shares(const Bound& bound) : table_(std::make_shared<Table>(bound)) {}
const Bound& Shares::bound() const { return table_->bound; }
const BoundCounts& Shares::counts() const { return table_->counts; }
std::size_t Shares::held_by(const Holder& who) const { return table_->held_by(who); }

Share::Share(const Shares& of, Holder who, std::function<void()> evicted)
    : of_(of.table_), who_(who), evicted_(std::move(evicted)) {}

Share::~Share() { give_all_back(); }

bool Share::take(std::size_t amount) { return of_->take(*this, amount); }

void Share::give_back(std::size_t amount) {
  amount = std::min(amount, size_);
  if (amount == 0) return;
  of_->uncount(who_, amount);
  size_ -= amount;
  if (size_ == 0) leave();
}

void Share::moved() {
  if (listed_) of_->order.splice(of_->order.end(), of_->order, place_);
}

bool Share::pass_to(const Holder& who) {
  if (who == who_) return true;
  of_->uncount(who_, size_);
  const bool fits = of_->has_room(who, size_);
  if (fits) {
    leave();
    who_ = who;
  }
  of_->count(who_, size_);
  if (size_ > 0) enter();
  return fits;
}

void Share::enter() {
  if (listed_ || !evicted_ || who_.kind != Holder::Kind::stranger) return;
  place_ = of_->order.insert(of_->order.end(), this);
  listed_ = true;
}

void Share::leave() {
  if (std::exchange(listed_, false)) of_->order.erase(place_);
}

std::size_t& Shares::Table::of_kind(Holder::Kind kind) {
  if (kind == Holder::Kind::owner) return counts.owner;
  return kind == Holder::Kind::guest ? counts.guests : counts.strangers;
}

std::size_t Shares::Table::held_by(const Holder& who) const {
  const auto found = held.find(who);
  return found == held.end() ? 0 : found->second;
}

// Without making room.
bool Shares::Table::has_room(const Holder& who, std::size_t amount) const {
  const std::size_t common = bound.whole - bound.of_owner - bound.of_strangers;
  const std::size_t own = std::min(counts.owner, bound.of_owner);
  const std::size_t left = common - std::min(common, counts.guests + counts.owner - own);
  switch (who.kind) {
    case Holder::Kind::owner: return amount <= left + bound.of_owner - own;
    case Holder::Kind::guest: return amount <= left && held_by(who) + amount <= left;
    case Holder::Kind::stranger: break;
  }
  return amount <= bound.of_strangers - std::min(counts.strangers, bound.of_strangers) &&
         held_by(who) + amount <= bound.of_stranger;
}

// Takes from the stranger who moved longest ago, until there is room or nobody is left.
bool Shares::Table::make_room(Share& share, std::size_t amount) {
  if (share.who_.kind != Holder::Kind::stranger) return false;
  // Others lose nothing for one who has all that he may.
  const bool has_all = held_by(share.who_) + amount > bound.of_stranger;
  if (has_all && bound.of_stranger < bound.of_strangers) return false;
  while (!has_room(share.who_, amount)) {
    const auto found = std::ranges::find_if(order, [&](Share* each) { return each != &share; });
    if (found == order.end()) return false;
    Share& oldest = **found;
    ++counts.evicted;
    const auto evicted = oldest.evicted_;
    oldest.give_all_back();
    evicted();
  }
  return true;
}

bool Shares::Table::take(Share& share, std::size_t amount) {
  if (!has_room(share.who_, amount) && !make_room(share, amount)) {
    ++counts.refused;
    return false;
  }
  count(share.who_, amount);
  share.size_ += amount;
  if (amount > 0) share.enter();
  return true;
}

void Shares::Table::count(const Holder& who, std::size_t amount) {
  if (amount == 0) return;
  held[who] += amount;
  of_kind(who.kind) += amount;
  counts.most = std::max(counts.most, counts.all());
}

void Shares::Table::uncount(const Holder& who, std::size_t amount) {
  if (amount == 0) return;
  const auto found = held.find(who);
  found->second -= amount;
  if (found->second == 0) held.erase(found);
  of_kind(who.kind) -= amount;
}

}  // namespace meshstow::base
