// http/collecting_exchange.hpp: a request whose small body (a form, an API call) is read whole
// first, and is the one that was signed if the call is a signed one. Internal to src/http.
#pragma once

#include <string>

#include "http/core.hpp"
#include "http/exchange.hpp"

namespace meshstow::http {

class CollectingExchange : public Exchange {
 public:
  [[nodiscard]] bool wants_body() const override { return !finished() && !aborted() && !ended_; }

 protected:
  CollectingExchange(Core& core, Context context, const Request& request);
  virtual void on_whole(Now now, std::string body) = 0;
  void reply(Reply reply);

  Core& core_;
  const Context context_;

 private:
  void on_body(Now now, ByteView piece) final;
  void on_body_end(Now now) final;
  void refuse_size();

  std::string body_;
  bool ended_ = false;
};

}  // namespace meshstow::http
