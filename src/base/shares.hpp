// base/shares.hpp: one bound that many share, so that nobody can take all of it.
//
// Of the whole a part is the owner's alone. A guest (whoever was granted something, by a token or
// by name) gets no more than would then still be free for other guests: one alone has half of what
// is kept for nobody, the next half of the rest. Strangers, whose identities cost nothing, have a
// part of their own together and each at most a piece of it; where it is full, the share that moved
// longest ago goes, if it can.
//
// Owner: whoever keeps the bound. Threading: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "base/bytes.hpp"

namespace meshstow::base {

// Whose share something counts against.
struct Holder {
  enum class Kind : std::uint8_t { stranger, guest, owner };
  Kind kind = Kind::stranger;
  Hash16 id;  // of the guest's token; of the stranger's identity, link or connection
  auto operator<=>(const Holder&) const = default;

  static Holder owner() { return {Kind::owner, {}}; }
  static Holder guest(ByteView id) { return {Kind::guest, padded(id)}; }
  static Holder stranger(ByteView id) { return {Kind::stranger, padded(id)}; }

 private:
  static Hash16 padded(ByteView id) {
    Hash16 out;
    std::copy_n(id.begin(), std::min(id.size(), Hash16::size()), out.bytes.begin());
    return out;
  }
};

// What is shared, and how. What is kept for nobody is for guests, and for the owner beyond his
// part.
struct Bound {
  const char* name = "";  // as `status` shows it
  std::size_t whole = 0;
  std::size_t of_owner = 0;
  std::size_t of_strangers = 0;
  std::size_t of_stranger = 0;  // one of them
};

// What an operator sees of a bound.
struct BoundCounts {
  std::size_t owner = 0, guests = 0, strangers = 0;  // held now
  std::size_t most = 0;                              // ever held at once
  std::uint64_t refused = 0;                         // times that there was no room
  std::uint64_t evicted = 0;                         // strangers that had to go
  [[nodiscard]] std::size_t all() const { return owner + guests + strangers; }
};

class Share;

class Shares {
 public:
  explicit Shares(const Bound& bound);

  [[nodiscard]] const Bound& bound() const;
  [[nodiscard]] const BoundCounts& counts() const;
  [[nodiscard]] std::size_t held_by(const Holder& who) const;

 private:
  friend class Share;
  struct Table;
  std::shared_ptr<Table> table_;  // shares may outlive whoever keeps the bound
};

// What one user of the bound holds; given back when it goes.
class Share {
 public:
  // `evicted` is called after everything was taken away from it, and may end it.
  explicit Share(const Shares& of, Holder who, std::function<void()> evicted = {});
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  [[nodiscard]] bool take(std::size_t amount = 1);
  void give_back(std::size_t amount);
  void give_all_back() { give_back(size_); }
  void moved();  // it is not the one that moved longest ago
  // Counts against `who` from now on; false, and all as before, if his share has no room for it.
  bool pass_to(const Holder& who);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  friend struct Shares::Table;
  void enter();
  void leave();
  std::shared_ptr<Shares::Table> of_;
  Holder who_;
  std::function<void()> evicted_;
  std::size_t size_ = 0;
  std::list<Share*>::iterator place_;  // among those that can be evicted
  bool listed_ = false;
};

}  // namespace meshstow::base
