// reticulum/resource_receiver.hpp: fetches the parts of one advertised segment.
//
// Asks for parts and for more of the hashmap, places what arrives, asks again for what does not.
// Knows nothing of what the content means. Memory: the segment's stream, reserved with the first
// part; the segment fails where there is none. Source: facts/reticulum.md 8.3, 8.4.
#pragma once

#include <vector>

#include "reticulum/link_channel.hpp"
#include "reticulum/resource_segment.hpp"
#include "reticulum/transfer_window.hpp"

namespace meshstow::reticulum {

class ResourceReceiver {
 public:
  enum class State { receiving, complete, failed };

  // Whether the numbers of `advertisement` can be received over this link at all.
  [[nodiscard]] static bool acceptable(const Advertisement& advertisement,
                                       const LinkChannel& channel);

  // `window` and `channel` outlive it. Errors: the caller has checked acceptable().
  ResourceReceiver(LinkChannel& channel, TransferWindow& window, Advertisement advertisement);
  ~ResourceReceiver();
  ResourceReceiver(const ResourceReceiver&) = delete;
  ResourceReceiver& operator=(const ResourceReceiver&) = delete;

  void start(TimePoint now);
  // True if the part was one of ours.
  bool handle_part(TimePoint now, ByteView part);
  void handle_hashmap_update(TimePoint now, std::uint64_t piece, ByteView hashes);
  [[nodiscard]] TimePoint deadline() const;
  void handle_deadline(TimePoint now);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Advertisement& advertisement() const { return advertisement_; }
  [[nodiscard]] std::uint64_t received_bytes() const { return received_bytes_; }
  // Once complete: see SegmentOpening.
  [[nodiscard]] Result<SegmentOpening> open(std::uint64_t max_content) const;

 private:
  struct Asked {
    PartHash hash;
    std::size_t index;
  };
  void take_hashes(ByteView hashes);
  void ask(TimePoint now);
  [[nodiscard]] bool ask_now() const;
  [[nodiscard]] bool wants_hashmap() const;
  [[nodiscard]] std::optional<std::size_t> find_index(PartHash hash) const;
  [[nodiscard]] bool reserve();
  void place(TimePoint now, std::size_t index, ByteView part);
  [[nodiscard]] std::size_t size_of(std::size_t index) const;

  LinkChannel& channel_;
  TransferWindow& window_;
  Advertisement advertisement_;
  State state_ = State::receiving;

  Bytes stream_;
  std::vector<PartHash> hashes_;  // the known ones: a prefix of all
  std::vector<bool> have_;
  std::size_t first_missing_ = 0;
  std::size_t next_to_ask_ = 0;
  std::size_t missing_ = 0;
  std::uint64_t received_bytes_ = 0;
  std::vector<Asked> outstanding_;  // in order of asking
  bool hashmap_asked_ = false;
  bool answered_ = false;  // anything has come at all
  int retries_ = 0;
  TimePoint last_activity_{};
};

}  // namespace meshstow::reticulum
