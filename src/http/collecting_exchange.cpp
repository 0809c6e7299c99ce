#include "http/collecting_exchange.hpp"

#include "base/limits.hpp"
#include "crypto/hash.hpp"
#include "http/replies.hpp"

namespace meshstow::http {

CollectingExchange::CollectingExchange(Core& core, Context context, const Request& request)
    : core_(core), context_(std::move(context)) {
  if (request.content_length.value_or(0) > limits::kHttpSmallBody) refuse_size();
}

void CollectingExchange::reply(Reply reply) {
  if (reply.head.framing == Framing::length) reply.head.content_length = view_of(reply.body).size();
  if (reply.head.framing == Framing::none) reply.body = std::string_view();
  send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
}

void CollectingExchange::refuse_size() {
  reply(error_reply(context_, 413, "A form or call of this size is not taken."));
}

void CollectingExchange::on_body(Now, ByteView piece) {
  if (body_.size() + piece.size() > limits::kHttpSmallBody) return refuse_size();
  body_ += base::as_text(piece);
}

void CollectingExchange::on_body_end(Now now) {
  ended_ = true;
  if (context_.signed_body && crypto::sha256(base::as_bytes(body_)) != *context_.signed_body) {
    return reply(error_reply(context_, 403, "The proof of this call is for another body."));
  }
  on_whole(now, std::move(body_));
}

}  // namespace meshstow::http
