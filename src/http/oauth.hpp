// http/oauth.hpp: the authorization dialog and the token endpoint (remotestorage-http.md 1.2).
//
// Implicit grant, and authorization code with PKCE (S256 only). There is no registration: client_id
// is ignored and the app is named by the origin of its redirect address. Internal to src/http.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/collecting_exchange.hpp"
#include "http/origin.hpp"
#include "http/target.hpp"

namespace meshstow::http {

struct AuthorizationRequest {
  RedirectAddress redirect;
  std::vector<access::Scope> scopes;
  bool wants_code = false;
  std::string challenge;
  std::optional<std::string> state;
};
// The error is for the user: with an address that is in doubt nothing is sent there.
[[nodiscard]] tl::expected<AuthorizationRequest, std::string> read_authorization(const Core& core,
                                                                                 const Form& form);

// GET: the page that asks. It is the same for everybody: its script shows the question to a browser
// that is signed in, and to others how to sign in.
Reply consent_page(const Core& core, const Context& context, std::string_view query);

// POST by that script, as a signed call: what was asked, and the decision -> {"location"}, where
// the browser goes on to.
class ConsentAnswer final : public CollectingExchange {
 public:
  ConsentAnswer(Core& core, Context context, const Request& request)
      : CollectingExchange(core, std::move(context), request) {}

 private:
  void on_whole(Now now, std::string body) override;
  void grant(Now now, const AuthorizationRequest& asked, const Form& form);
  void give_token(Now now, const AuthorizationRequest& asked, std::vector<access::Scope> scopes,
                  std::optional<std::chrono::seconds> lifetime);
  void go_on(const std::string& location);
  void refuse(int status, std::string_view why);
};

// POST of a code.
class TokenExchange final : public CollectingExchange {
 public:
  TokenExchange(Core& core, Context context, const Request& request)
      : CollectingExchange(core, std::move(context), request) {}

 private:
  void on_whole(Now now, std::string body) override;
  void give_token(Now now, GrantedCode& grant);
  void revoke_again(Now now, const GrantedCode& grant);
  void refuse(std::string_view error, std::string_view why);
  std::optional<access::Revocation> revocation_;
};

}  // namespace meshstow::http
