// reticulum/resource_sender.hpp: sends one content as a resource, segment after segment.
//
// The content is a short prefix (metadata block, or the head of a request or response) and a value.
// The value is either held here, or asked for piece by piece with ContentWanted: the next segment's
// bytes are asked for when this segment is advertised, so at most two segments are in memory.
// Source: facts/reticulum.md 8.
#pragma once

#include <deque>
#include <optional>

#include "reticulum/link_channel.hpp"
#include "reticulum/resource_segment.hpp"

namespace meshstow::reticulum {

enum class ResourceUse { bare, request, response };

struct OutgoingContent {
  ResourceUse use = ResourceUse::bare;
  std::optional<RequestId> request;
  Bytes prefix;
  bool has_metadata = false;
  std::optional<Bytes> value;  // nothing: streamed
  std::uint64_t value_size = 0;
  bool compress = true;

  [[nodiscard]] std::uint64_t size() const { return prefix.size() + value_size; }
};

class ResourceSender {
 public:
  enum class State { queued, wanting, advertised, transferring, awaiting_proof, sent, failed };

  ResourceSender(LinkChannel& channel, TransferId transfer, OutgoingContent content);

  void start(TimePoint now);
  // Errc::malformed: nothing was wanted, or not as many bytes.
  [[nodiscard]] Result<void> supply(TimePoint now, ByteView bytes);
  // Whether `segment` is the one under way.
  [[nodiscard]] bool sends(const Hash32& segment) const;
  void handle_part_request(TimePoint now, const Hash32& request_packet, ByteView request);
  void handle_proof(TimePoint now, ByteView value);
  void handle_rejection();
  // The peer has shown by other means that it has everything.
  void handle_answer() { end(State::sent); }
  void cancel(TimePoint now);
  [[nodiscard]] TimePoint deadline() const { return deadline_; }
  void handle_deadline(TimePoint now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool ended() const { return state_ == State::sent || state_ == State::failed; }
  [[nodiscard]] TransferId transfer() const { return transfer_; }
  [[nodiscard]] Errc failure() const { return failure_; }
  [[nodiscard]] const OutgoingContent& content() const { return content_; }

 private:
  struct Range {
    std::uint64_t begin, end;
  };
  [[nodiscard]] Range segment_range(std::uint64_t segment) const;
  [[nodiscard]] Bytes prefix_bytes(Range range) const;
  void prepare_held(std::uint64_t segment);
  void want(std::uint64_t segment);
  void prepare(Bytes content);
  void begin_next(TimePoint now);
  void advertise(TimePoint now);
  void send_parts(TimePoint now, ByteView wanted);
  void send_hashmap(TimePoint now, PartHash last_known);
  [[nodiscard]] std::optional<std::size_t> find_part(PartHash hash, std::size_t from) const;
  void all_parts_sent(TimePoint now);
  void report_progress(TimePoint now);
  void end(State state, Errc why = Errc::unavailable);

  LinkChannel& channel_;
  TransferId transfer_;
  OutgoingContent content_;
  std::uint64_t segment_count_;
  State state_ = State::queued;
  Errc failure_ = Errc::unavailable;
  TimePoint deadline_ = kNever;
  int tries_ = 0;

  std::uint64_t segment_ = 0;  // from 1; 0 before the first
  std::optional<OutgoingSegment> current_;
  std::optional<OutgoingSegment> next_;
  std::optional<Hash32> first_hash_;
  bool wanted_ = false;  // ContentWanted for segment_ + 1 is open

  std::vector<bool> part_sent_;
  std::size_t parts_unsent_ = 0;
  std::size_t search_from_ = 0;
  std::deque<Hash32> requests_seen_;  // packet hashes of recent part requests
  TimePoint progress_reported_{};
};

}  // namespace meshstow::reticulum
