// http/exchange.hpp: one request and its response, as a sans-IO state machine.
//
// Owner: the adapter, from Service::begin until finished() and idle(). After every call drain
// poll(); then, while wants_body(), feed the request's body in pieces of any size. An exchange that
// produces output by itself (live changes) calls the waker. Threading: the service's thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/shares.hpp"
#include "base/time.hpp"
#include "http/message.hpp"
#include "storage/operations.hpp"

namespace meshstow::http {

// Bytes for the client. The head comes with the first piece. Ask for more with handle_sent() once
// all that poll() gave has left, so that a slow client holds one piece and not a document.
struct Send {
  std::optional<ResponseHead> head;
  Body body = std::string_view();
  bool last = false;
};
// scrypt of `passphrase` with `salt`, on a worker; the answer goes to handle_hash():
// nullopt if the workers have too much to do.
struct HashPassphrase {
  std::string passphrase;
  Bytes salt;
};
// The response cannot be completed (the store failed, the token was revoked): close the connection
// now.
struct Break {};
using Output = std::variant<storage::StoreRequest, Send, HashPassphrase, Break>;

// How fast a request's body must come.
enum class BodyPace {
  soon,    // all of it within the time of a head: whoever sends it has shown no token
  moves,   // as long as anything comes
  steady,  // as storage::UploadPace has it, since it holds a place in the store
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] std::optional<Output> poll();
  [[nodiscard]] virtual bool wants_body() const { return false; }
  [[nodiscard]] virtual BodyPace body_pace() const { return BodyPace::soon; }
  // True from the last Send (or Break) on.
  [[nodiscard]] bool finished() const { return finished_; }
  // No store request is unanswered. An exchange must live until it is idle, or a handle leaks.
  [[nodiscard]] bool idle() const { return waiting_.empty(); }
  // True for responses that have no end of their own: the adapter should watch for the client to
  // leave.
  [[nodiscard]] virtual bool is_stream() const { return false; }

  // By whose right it was asked for; a stranger's if by nobody's.
  [[nodiscard]] const base::Holder& holder() const { return holder_; }
  void set_holder(const base::Holder& who) { holder_ = who; }

  void handle_body(Now now, ByteView piece);
  void handle_body_end(Now now);
  void handle_reply(Now now, storage::StoreReply reply);
  void handle_sent(Now now);
  void handle_hash(Now now, const std::optional<Hash32>& hash);
  // The client is gone. Drain poll() once more: what was opened is closed.
  void abort();
  void set_waker(std::function<void()> waker) { waker_ = std::move(waker); }

 protected:
  Exchange() = default;

  virtual void on_body(Now, ByteView) {}
  virtual void on_body_end(Now) {}
  virtual void on_sent(Now) {}
  virtual void on_hash(Now, const std::optional<Hash32>&) {}
  virtual void on_abort() {}

  using Continuation = std::function<void(Now, storage::Outcome<storage::Answer>)>;
  void submit(storage::Operation operation, Continuation then);
  // The same for an operation whose answer is a T.
  template <class T, class Fn>
  void ask(storage::Operation&& operation, Fn then) {
    submit(std::move(operation),
           [then = std::move(then)](Now now, storage::Outcome<storage::Answer> outcome) {
             if (!outcome) {
               then(now, storage::Outcome<T>(tl::unexpected<storage::Failure>(outcome.error())));
             } else if (auto* answer = std::get_if<T>(&*outcome)) {
               then(now, storage::Outcome<T>(std::move(*answer)));
             } else {
               then(now, storage::Outcome<T>(tl::unexpected<storage::Failure>(storage::Failure{})));
             }
           });
  }
  void submit_and_forget(storage::Operation operation);
  void send(Send piece);  // ignored once finished
  void break_off();
  void output(Output out) { outputs_.push_back(std::move(out)); }
  void wake() {
    if (waker_) waker_();
  }
  [[nodiscard]] bool aborted() const { return aborted_; }

 private:
  std::vector<Output> outputs_;
  std::size_t next_ = 0;
  struct Waiting {
    storage::RequestNumber number;
    Continuation then;
  };
  std::vector<Waiting> waiting_;
  storage::RequestNumber last_number_ = 0;
  base::Holder holder_;
  bool finished_ = false;
  bool aborted_ = false;
  std::function<void()> waker_;
};

// A response that is known at once.
class ImmediateExchange final : public Exchange {
 public:
  ImmediateExchange(Reply reply, bool is_head);
};

}  // namespace meshstow::http
