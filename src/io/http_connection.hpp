// io/http_connection.hpp: one client's connection: requests in, exchanges run, responses out in
// order. Internal to io.
//
// A request is read, answered and written before the next is begun; pipelined ones wait in the
// buffer. Threading: the loop thread. Limits: kIdle, kHeadTime and kStall in the .cpp;
// limits::kHttpHead.
#pragma once

#include <memory>
#include <vector>

#include "base/http_limits.hpp"
#include "http/service.hpp"
#include "io/http_parser.hpp"
#include "io/http_stream.hpp"
#include "io/node_host.hpp"
#include "storage/body_upload.hpp"

namespace meshstow::io {

// What is shared out among the connections of a server.
struct HttpPlaces {
  base::Shares connections;
  base::Shares input{base::Bound{.name = "HTTP input",
                                 .whole = limits::kHttpInput,
                                 .of_owner = limits::kHttpInputOfOwner,
                                 .of_strangers = limits::kHttpInputOfStrangers,
                                 .of_stranger = limits::kHttpInputOfStrangers}};
};

// What all connections of a server share.
struct HttpShared {
  NodeHost& host;
  std::shared_ptr<http::Service> service;
  Bytes scratch;  // what was just read; each connection keeps only what it cannot use yet
  std::function<void(http::HashPassphrase, std::function<void(const std::optional<Hash32>&)>)> hash;
  bool stopping = false;
};

class HttpConnection;

// One exchange and its store requests. Lives until those are answered, which may be after the
// connection.
class HttpRun : public std::enable_shared_from_this<HttpRun> {
 public:
  HttpRun(std::shared_ptr<HttpShared> shared, std::unique_ptr<http::Exchange> exchange,
          std::weak_ptr<HttpConnection> connection);
  [[nodiscard]] http::Exchange& exchange() { return *exchange_; }
  void drain();
  void abandon();  // the client is gone

 private:
  void store(storage::StoreRequest request);
  std::shared_ptr<HttpShared> shared_;
  std::unique_ptr<http::Exchange> exchange_;
  std::weak_ptr<HttpConnection> connection_;
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpShared> shared, std::shared_ptr<HttpStream> stream,
                 http::PeerAddress peer, std::size_t endpoint, const HttpPlaces& places,
                 std::function<void(HttpConnection*)> gone);
  ~HttpConnection();

  void start();  // closes at once if there is no place for it
  void close();
  void check_deadline(TimePoint now);

  // Of its run: what the exchange gave, and that it moved.
  void take(http::Send send);
  void cut();
  void pump();

 private:
  enum class State {
    opening,     // TLS handshake
    head,        // between requests, or in a head
    exchange,    // a request is being answered
    discarding,  // answered, and the rest of its body is thrown away
    lingering,   // answered for good; reads on so that the client can read the answer
    closed,
  };

  void wait_for_input();
  void count_input();
  void input_ready();
  bool step();
  bool step_head();
  bool step_exchange();
  bool step_body();
  bool step_discard();
  std::optional<HttpRefusal> feed_parser(std::size_t& used);
  void begin_exchange();
  void finish_exchange();
  void refuse(const HttpRefusal& refusal);
  void write_queue();
  void written(bool ok);
  void send_continue();
  [[nodiscard]] bool can_keep_alive(const http::ResponseHead& head) const;
  void next_request();
  void linger();
  [[nodiscard]] bool is_too_slow(TimePoint now);
  void forgive(TimePoint now);
  [[nodiscard]] bool waits_for_client() const;

  std::shared_ptr<HttpShared> shared_;
  std::shared_ptr<HttpStream> stream_;
  const http::PeerAddress peer_;
  const std::size_t endpoint_;
  std::function<void(HttpConnection*)> gone_;
  // A stranger's, and the first to go when it idles longest, until it has shown a valid token or
  // session.
  base::Share place_;
  base::Share held_;  // bytes that were read and cannot be used yet

  State state_ = State::opening;
  HttpParser parser_;
  Bytes input_;  // read, and not yet used
  bool reading_ = false;
  bool input_ended_ = false;
  std::shared_ptr<HttpRun> run_;
  bool body_ended_ = false;    // the exchange was told
  bool continue_due_ = false;  // the client waits for "100 Continue"
  bool keep_alive_ = true;
  bool chunked_ = false;
  bool head_written_ = false;

  struct Part {
    std::string text;  // head or chunk framing
    http::Body body;
  };
  std::vector<Part> queue_;
  std::vector<Part> in_flight_;
  bool writing_ = false;
  bool sent_something_ = false;  // and the exchange was not told
  bool pumping_ = false;
  bool pump_again_ = false;
  bool head_begun_ = false;  // some of the next head has arrived
  TimePoint deadline_ = kNever;
  TimePoint framing_deadline_ = kNever;  // of a chunk's head or a trailer that has begun
  storage::UploadPace pace_;
  std::uint64_t body_in_ = 0;
  std::uint64_t bytes_out_seen_ = 0;
};

}  // namespace meshstow::io
