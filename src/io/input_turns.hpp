// io/input_turns.hpp: which connection is read next. Internal to io.
//
// Connections that have something to read take turns, each at most its share (limits::kInputShare,
// kPacketsPerShare); after limits::kInputTurn of that the loop sees to everything else first. So a
// peer that sends without end delays neither other peers nor HTTP. Threading: the loop thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>

#include "base/bytes.hpp"

namespace meshstow::io {

class InputSource {
 public:
  InputSource() = default;
  virtual ~InputSource() = default;
  InputSource(const InputSource&) = delete;
  InputSource& operator=(const InputSource&) = delete;
  // Reads and handles a share, into `buffer` if it needs one. True: there may be more.
  virtual bool take_share(base::MutableByteView buffer) = 0;
};

class InputTurns : public std::enable_shared_from_this<InputTurns> {
 public:
  explicit InputTurns(boost::asio::io_context& loop);
  // `source` has something to read, and is not waiting already.
  void add(std::shared_ptr<InputSource> source);

 private:
  void run();
  void run_later();

  boost::asio::io_context& loop_;
  Bytes buffer_;  // of whoever reads
  std::deque<std::shared_ptr<InputSource>> waiting_;
  bool due_ = false;
};

}  // namespace meshstow::io
