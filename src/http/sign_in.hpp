// http/sign_in.hpp: opening a session, for whoever has a link or the passphrase. Internal to
// src/http.
#pragma once

#include <string>

#include "http/collecting_exchange.hpp"
#include "http/target.hpp"

namespace meshstow::http {

// GET /api/session: what a page has to know to sign its calls, or to show how to sign in.
Reply session_reply(Core& core, const Context& context, Now now, bool signed_in);

// POST /signin with a form of `link` or `passphrase`, and of `key` or `secret`, which the browser
// made for the session -> {"session": id}
class SignIn final : public CollectingExchange {
 public:
  SignIn(Core& core, Context context, const Request& request)
      : CollectingExchange(core, std::move(context), request) {}

 private:
  void on_whole(Now now, std::string body) override;
  void on_hash(Now now, const std::optional<Hash32>& hash) override;
  void try_passphrase(Now now, const std::string& passphrase);
  void open(Now now);

  Result<SessionKey> key_ = fail(Errc::malformed, "no key");
};

}  // namespace meshstow::http
