// storage/body_upload.hpp: one body on its way to the store, whoever sends it, sans-IO.
//
// Pieces come in by take(), store operations go out by next(), their replies come back by
// answered(). A small body waits for its commit; a larger one takes one of limits::kUploads places
// and moves no faster than the store: while wants_more() is false, nothing is to be read from its
// sender. After any call drain next(). An upload that was begun ends with its commit or abort();
// whoever has it drains once more before letting go.
//
// Owner: one request (HTTP, mesh, control socket).
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "base/limits.hpp"
#include "base/shares.hpp"
#include "base/time.hpp"
#include "storage/operations.hpp"

namespace meshstow::storage {

inline constexpr base::Bound kUploadPlaces{
    .name = "uploads", .whole = limits::kUploads, .of_owner = limits::kUploadsOfOwner};
inline constexpr base::Bound kSmallBodyBytes{
    .name = "small writes", .whole = limits::kSmallBodies, .of_owner = limits::kSmallBodiesOfOwner};

// What the bodies of one store share. Only the owner and guests send any.
struct Uploads {
  base::Shares places{kUploadPlaces};
  base::Shares small{kSmallBodyBytes};  // bytes, until they are stored
};

class BodyUpload {
 public:
  // What an operation is for; its reply comes back with it.
  enum class Step { begin, append, put, abort };
  struct Asked {
    Step step;
    Operation operation;
  };

  // `id` is nobody else's. `size`: as announced.
  BodyUpload(Uploads& uploads, const base::Holder& who, UploadId id, StoragePath path,
             std::optional<std::uint64_t> size);

  // Takes a place before the first piece, so that what cannot be stored is not sent at all.
  void begin();
  void take(ByteView piece);
  void end();  // that was all
  // Ended, and all of it is in the store, or here and small.
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] bool wants_more() const;

  void commit(std::string content_type, Conditions conditions);  // only if is_whole()
  // Nothing comes of it, unless the commit is under way: that is done or refused, unheard.
  void abort();

  [[nodiscard]] std::optional<Asked> next();
  void answered(Step step, const Outcome<Answer>& outcome);

  [[nodiscard]] const std::optional<Failure>& refused() const { return refused_; }
  [[nodiscard]] const std::optional<WriteResult>& written() const { return written_; }
  [[nodiscard]] bool has_place() const { return place_.size() > 0; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

 private:
  enum class Phase { open, ended, committing, over };
  void start();
  void refuse(const Failure& why);
  void give_back();
  [[nodiscard]] AppendUpload next_piece();

  base::Share place_;
  base::Share small_;  // as long as it has no place
  UploadId id_;
  StoragePath path_;
  std::optional<std::uint64_t> size_;
  Phase phase_ = Phase::open;
  std::deque<Bytes> pieces_;  // all full but the last
  std::uint64_t received_ = 0;
  std::size_t appending_ = 0;  // pieces on their way to the store
  bool begun_ = false;         // the store was asked for a place, or is about to be
  bool begin_due_ = false;
  bool begin_unanswered_ = false;
  bool abort_due_ = false;
  std::optional<PutDocument> put_;  // that is due
  std::optional<Failure> refused_;
  std::optional<WriteResult> written_;
};

// How fast a body must come, since whoever sends it holds a place or memory meanwhile.
class UploadPace {
 public:
  // Time that the sender is not to blame for, or that begins.
  void forgive(TimePoint now, std::uint64_t received, Duration patience = limits::kUploadPatience);
  // True once less than limits::kUploadLeast has come in all of that time.
  [[nodiscard]] bool is_too_slow(TimePoint now, std::uint64_t received,
                                 Duration patience = limits::kUploadPatience);

 private:
  TimePoint due_ = kNever;
  std::uint64_t seen_ = 0;
};

}  // namespace meshstow::storage
