// reticulum/incoming_transfer.hpp: one incoming content: its segments in order, its head, its
// pieces.
//
// Every segment but the last is proved only after content_taken(), so the sender's own waiting is
// our backpressure, and at most two segments are in memory. Source: facts/reticulum.md 8.
#pragma once

#include <optional>

#include "reticulum/content_head.hpp"
#include "reticulum/resource_receiver.hpp"

namespace meshstow::reticulum {

// The place of one segment among those that are being received: see limits::kIncomingSegments.
class SegmentPlace {
 public:
  SegmentPlace(TimePoint now, const LinkChannel& channel, TransferId transfer)
      : room_(channel.room()), transfer_(transfer) {
    room_.incoming.take(now, transfer, channel.sharer());
  }
  ~SegmentPlace() { room_.incoming.release(transfer_); }
  SegmentPlace(const SegmentPlace&) = delete;
  SegmentPlace& operator=(const SegmentPlace&) = delete;
  void touch(TimePoint now) { room_.incoming.touch(now, transfer_); }

 private:
  LinkRoom& room_;
  TransferId transfer_;
};

class IncomingTransfer {
 public:
  enum class State {
    receiving,  // parts of a segment
    opening,    // all parts are there: see open_some()
    holding,    // a segment was handed out and not taken yet
    waiting,    // for the advertisement of the next segment
    done,
    failed
  };

  // `first` is segment 1 and acceptable. There is room for it.
  IncomingTransfer(LinkChannel& channel, TransferWindow& window, TransferId transfer,
                   ContentKind kind, const Advertisement& first);

  // True: `next` is the next segment, for which there must be room now.
  [[nodiscard]] bool is_continued_by(const Advertisement& next) const;
  // The next segment, or a repeat of this one. Errc::malformed: it contradicts what was said before
  // (and the transfer has failed).
  [[nodiscard]] Result<void> handle_advertisement(TimePoint now,
                                                  const Advertisement& advertisement);
  void start(TimePoint now);
  bool handle_part(TimePoint now, ByteView part);
  void handle_hashmap_update(TimePoint now, std::uint64_t piece, ByteView hashes);
  // A little of the work of opening a segment; while it is `opening`.
  void open_some(TimePoint now);
  void taken(TimePoint now);
  // Its link has another share of the bounds from now on.
  void share_changed(TimePoint now);
  // Fails without a word to the sender; see Transfers.
  void fail(Errc why);
  [[nodiscard]] TimePoint deadline() const;
  void handle_deadline(TimePoint now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool ended() const { return state_ == State::done || state_ == State::failed; }
  [[nodiscard]] TransferId transfer() const { return transfer_; }
  [[nodiscard]] ContentKind kind() const { return kind_; }
  [[nodiscard]] bool started() const { return started_; }  // ContentStarted was emitted
  [[nodiscard]] Errc failure() const { return failure_; }
  [[nodiscard]] const std::optional<RequestId>& request() const { return shape_.request; }
  [[nodiscard]] const Hash32& first_hash() const { return shape_.first_hash; }
  // The segment last advertised to us.
  [[nodiscard]] const Hash32& segment_hash() const { return segment_hash_; }
  // The proof that is due now, once: resource hash | proof value.
  [[nodiscard]] std::optional<Bytes> take_proof();

 private:
  void begin_opening();
  void segment_opened(TimePoint now, OpenedSegment opened);
  [[nodiscard]] std::uint64_t promised() const { return shape_.content_size - content_bytes_; }
  void end_segment();
  void fail_opening(Errc why);
  [[nodiscard]] Result<void> hand_out(Bytes content);
  void begin(const ContentHead& head);
  void report_progress(TimePoint now);
  [[nodiscard]] bool is_last() const { return segment_ == shape_.segment_count; }

  LinkChannel& channel_;
  TransferWindow& window_;
  TransferId transfer_;
  ContentKind kind_;
  Advertisement shape_;  // of segment 1: what all segments share
  std::optional<ResourceReceiver> receiver_;
  std::optional<SegmentOpening> opening_;
  std::optional<SegmentPlace> place_;  // receiving, opening
  State state_ = State::receiving;
  Errc failure_ = Errc::unavailable;
  Hash32 segment_hash_;
  std::uint64_t segment_ = 1;
  std::uint64_t content_bytes_ = 0;  // of whole segments, head included
  std::uint64_t value_bytes_ = 0;    // handed out
  bool started_ = false;
  std::optional<Bytes> held_proof_;
  std::optional<Bytes> due_proof_;
  TimePoint next_segment_due_ = kNever;
  TimePoint progress_reported_{};
};

}  // namespace meshstow::reticulum
