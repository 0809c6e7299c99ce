#include "http/oauth.hpp"

#include <algorithm>
#include <charconv>

#include "base/limits.hpp"
#include "codec/percent.hpp"
#include "http/json_text.hpp"
#include "http/pages.hpp"
#include "http/replies.hpp"

namespace meshstow::http {
namespace {

using access::Operation;
using access::Scope;

constexpr std::int64_t kLongestLifetime = 10LL * 366 * 24 * 3600;

// Old clients leave the level out and mean rw (A3).
tl::expected<std::vector<Scope>, std::string> read_scopes(std::string_view text) {
  std::vector<Scope> out;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    std::string spelt(word);
    if (word.find(':') == std::string_view::npos) spelt += ":rw";
    auto scope = Scope::parse(spelt);
    if (!scope || scope->is_path()) {
      return tl::unexpected<std::string>("It asks for \"" + std::string(word) +
                                         "\", which is no access that can be given.");
    }
    if (std::find(out.begin(), out.end(), *scope) == out.end()) out.push_back(std::move(*scope));
    if (out.size() > limits::kTokenScopes) {
      return tl::unexpected<std::string>("It asks for too many things at once.");
    }
  }
  if (out.empty()) return tl::unexpected<std::string>("It does not say what it wants access to.");
  return out;
}

std::string with_parameters(const AuthorizationRequest& asked, Form answer) {
  if (asked.state) answer.emplace_back("state", *asked.state);
  const char* joint = !asked.wants_code ? "#" : asked.redirect.has_query ? "&" : "?";
  return asked.redirect.location + joint + encode_form(answer);
}

// Each of `given` must be something that was asked for, or less of it.
bool within(const std::vector<Scope>& asked, const Scope& given) {
  return std::any_of(asked.begin(), asked.end(), [&](const Scope& scope) {
    return scope.subject() == given.subject() &&
           (scope.right() == Operation::write || given.right() == Operation::read);
  });
}

std::string scope_row(const Scope& scope, std::size_t index) {
  const std::string& subject = scope.subject();
  const std::string id = "grant" + std::to_string(index);
  std::string row = "<li><p class=\"what\">" + text_html(describe_scope(scope)) + "</p>";
  if (subject == "*") {
    row += "<p class=\"note\">This app could see and use the data of every other app.</p>";
  } else if (subject == "shared") {
    row +=
        "<p class=\"note\">These are all documents that you share with others, of every app.</p>";
  } else if (scope.right() == Operation::write) {
    row += "<p class=\"note\">It may also publish under /public/" + text_html(subject) +
           "/, where anyone with the link can read.</p>";
  }
  row += "<label for=\"" + id + "\">Allow</label> <select name=\"grant\" id=\"" + id + "\">";
  if (scope.right() == Operation::write) {
    row += "<option value=\"" + escape_html(subject) + ":rw\" selected>read and change</option>";
  }
  row += "<option value=\"" + escape_html(subject) + ":r\">read only</option>";
  row += "<option value=\"\">nothing</option></select></li>\n";
  return row;
}

Reply problem_page(const Context& context, const std::string& why) {
  return page_reply(context, 400,
                    message_page("This app\xE2\x80\x99s request cannot be used", why));
}

// An app that is given a token must be alone in its origin. In ours are the files of all that is
// stored and of all apps; each installed app has one of its own.
bool belongs_to_us(const Core& core, std::string_view origin) {
  const std::string authority = authority_of_origin(origin);
  return std::ranges::any_of(core.config.endpoints, [&](const Endpoint& endpoint) {
    const HostMatch host = match_host(endpoint, authority);
    if (host.kind == HostMatch::Kind::app) return !core.apps.contains(host.name);
    return host.kind != HostMatch::Kind::foreign;
  });
}

// Of the token to be; none or an empty one: without end.
Result<std::optional<std::chrono::seconds>> read_lifetime(const Form& form) {
  const std::string text(form_value(form, "lifetime").value_or(""));
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || stop != end || seconds <= 0 || seconds > kLongestLifetime) {
    return fail(Errc::malformed, "lifetime");
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

tl::expected<AuthorizationRequest, std::string> read_authorization(const Core& core,
                                                                   const Form& form) {
  AuthorizationRequest out;
  const auto address = form_value(form, "redirect_uri");
  if (!address)
    return tl::unexpected<std::string>("It does not say where to go back to (redirect_uri).");
  auto redirect = parse_redirect_address(*address);
  if (!redirect) {
    return tl::unexpected<std::string>(std::string("Its address to go back to cannot be used: ") +
                                       redirect.error().detail + ".");
  }
  if (belongs_to_us(core, redirect->origin)) {
    return tl::unexpected<std::string>(
        "Its address to go back to is part of this server, where no app has a place of its own.");
  }
  out.redirect = std::move(*redirect);
  auto scopes = read_scopes(form_value(form, "scope").value_or(""));
  if (!scopes) return tl::unexpected(scopes.error());
  out.scopes = std::move(*scopes);
  out.state = form_value(form, "state");
  const std::string type = form_value(form, "response_type").value_or("token");
  if (type == "token") return out;
  if (type != "code")
    return tl::unexpected<std::string>("It asks for a kind of answer that is not given here.");
  out.wants_code = true;
  out.challenge = form_value(form, "code_challenge").value_or("");
  constexpr std::size_t kChallengeLength = 43;  // base64url of 32 bytes
  if (form_value(form, "code_challenge_method") != "S256" ||
      out.challenge.size() != kChallengeLength) {
    return tl::unexpected<std::string>(
        "It asks for a code without a PKCE challenge of the method S256.");
  }
  return out;
}

Reply consent_page(const Core& core, const Context& context, std::string_view query) {
  const auto form = parse_form(query);
  if (!form) return problem_page(context, "Its request is malformed.");
  const auto asked = read_authorization(core, *form);
  if (!asked) return problem_page(context, asked.error());
  std::string rows;
  for (std::size_t i = 0; i < asked->scopes.size(); ++i) rows += scope_row(asked->scopes[i], i);
  const Endpoint& endpoint = core.shown_endpoint(context.endpoint);
  return page_reply(
      context, 200,
      render_page("consent.html", {{"origin", asked->redirect.origin},
                                   {"address", core.config.account + "@" + endpoint.authority()},
                                   {"rows", rows}}));
}

void ConsentAnswer::refuse(int status, std::string_view why) {
  reply(error_reply(context_, status, why));
}

// As a value and no redirect: a script that was redirected would ask the app's server itself.
void ConsentAnswer::go_on(const std::string& location) {
  reply(json_reply(context_, 200, "{\"location\":" + json_string(location) + "}"));
}

void ConsentAnswer::on_whole(Now now, std::string body) {
  const auto form = parse_form(body);
  if (!form) return refuse(400, "The form was malformed.");
  const auto asked = read_authorization(core_, *form);
  if (!asked) return refuse(400, asked.error());
  if (form_value(*form, "decision") != "allow") {
    return go_on(with_parameters(*asked, {{"error", "access_denied"}}));
  }
  grant(now, *asked, *form);
}

void ConsentAnswer::grant(Now now, const AuthorizationRequest& asked, const Form& form) {
  std::vector<Scope> scopes;
  for (const auto& [name, value] : form) {
    if (name != "grant" || value.empty()) continue;
    auto scope = Scope::parse(value);
    if (!scope || !within(asked.scopes, *scope))
      return refuse(400, "More was allowed than was asked for.");
    if (std::find(scopes.begin(), scopes.end(), *scope) == scopes.end())
      scopes.push_back(std::move(*scope));
  }
  if (scopes.empty()) {
    return go_on(with_parameters(asked, {{"error", "access_denied"}}));
  }
  const auto lifetime = read_lifetime(form);
  if (!lifetime) return refuse(400, "That is no time that access can last.");
  if (!asked.wants_code) return give_token(now, asked, std::move(scopes), *lifetime);
  GrantedCode code{.redirect_uri = asked.redirect.text,
                   .origin = asked.redirect.origin,
                   .challenge = asked.challenge,
                   .scopes = std::move(scopes),
                   .lifetime = *lifetime};
  const std::string text = core_.codes.add(now, core_.rng, std::move(code));
  go_on(with_parameters(asked, {{"code", text}}));
}

void ConsentAnswer::give_token(Now now, const AuthorizationRequest& asked,
                               std::vector<Scope> scopes,
                               std::optional<std::chrono::seconds> lifetime) {
  auto issued = core_.tokens.issue(
      now, {.scopes = scopes, .holder = {}, .lifetime = lifetime, .label = asked.redirect.origin});
  if (!issued) return refuse(500, "No token could be made.");
  Form answer{{"access_token", issued->text}, {"token_type", "bearer"}};
  if (lifetime) answer.emplace_back("expires_in", std::to_string(lifetime->count()));
  if (scopes != asked.scopes) answer.emplace_back("scope", access::to_text(scopes));
  const std::string location = with_parameters(asked, std::move(answer));
  ask<storage::Done>(
      storage::PutRecord{issued->record.key, issued->record.value},
      [this, location, id = issued->id](Now then, const storage::Outcome<storage::Done>& stored) {
        if (!stored) {
          core_.drop_token(then, id);
          return refuse(503, "The store is not available now. Try again.");
        }
        go_on(location);
      });
}

void TokenExchange::refuse(std::string_view error, std::string_view why) {
  reply(json_reply(
      context_, 400,
      "{\"error\":" + json_string(error) + ",\"error_description\":" + json_string(why) + "}"));
}

void TokenExchange::on_whole(Now now, std::string body) {
  const auto form = parse_form(body);
  if (!form) return refuse("invalid_request", "The form is malformed.");
  if (form_value(*form, "grant_type") != "authorization_code") {
    return refuse("unsupported_grant_type", "Only authorization_code is known here.");
  }
  // Only a wrong code is delayed: what others guessed from this address is no fault of a right one.
  GrantedCode* grant = core_.codes.find(now, form_value(*form, "code").value_or(""));
  if (grant == nullptr) {
    const PeerAddress key = failure_key(context_, form_value(*form, "code").value_or(""));
    if (const auto wait = core_.token_failures.note_failure(now, key)) {
      return reply(too_many_requests(context_, *wait));
    }
    return refuse("invalid_grant", "The code is unknown or has expired.");
  }
  if (grant->spent) return revoke_again(now, *grant);
  grant->spent = true;
  if (form_value(*form, "redirect_uri") != grant->redirect_uri) {
    return refuse("invalid_grant", "The redirect address is another than before.");
  }
  if (!context_.origin.empty() && context_.origin != grant->origin) {
    return refuse("invalid_grant", "The code was given to another origin.");
  }
  if (!verifier_matches(form_value(*form, "code_verifier").value_or(""), grant->challenge)) {
    return refuse("invalid_grant", "The code verifier does not match.");
  }
  give_token(now, *grant);
}

void TokenExchange::give_token(Now now, GrantedCode& grant) {
  auto issued = core_.tokens.issue(
      now,
      {.scopes = grant.scopes, .holder = {}, .lifetime = grant.lifetime, .label = grant.origin});
  if (!issued) return refuse("server_error", "No token could be made.");
  grant.token = issued->id;
  std::string json =
      "{\"access_token\":" + json_string(issued->text) + ",\"token_type\":\"bearer\"";
  if (grant.lifetime) json += ",\"expires_in\":" + std::to_string(grant.lifetime->count());
  json += ",\"scope\":" + json_string(access::to_text(grant.scopes)) + "}";
  ask<storage::Done>(
      storage::PutRecord{issued->record.key, issued->record.value},
      [this, json, id = issued->id](Now then, const storage::Outcome<storage::Done>& stored) {
        if (!stored) {
          core_.drop_token(then, id);
          return reply(failure_reply(context_, stored.error(), true));
        }
        reply(json_reply(context_, 200, json));
      });
}

// Two parties have the code: what the first one got is worth nothing from now on (RFC 6749 4.1.2).
void TokenExchange::revoke_again(Now now, const GrantedCode& grant) {
  const auto refuse_code = [this] { refuse("invalid_grant", "The code was used before."); };
  if (!grant.token) return refuse_code();
  auto begun = core_.revoker.begin(now, *grant.token);
  if (!begun) return refuse("server_error", begun.error().detail);
  revocation_.emplace(std::move(*begun));
  ask<storage::Done>(storage::PutRecord{revocation_->record().key, revocation_->record().value},
                     [this, refuse_code](Now, const storage::Outcome<storage::Done>& stored) {
                       revocation_->finish(stored.has_value());
                       if (!stored) return reply(failure_reply(context_, stored.error(), true));
                       refuse_code();
                     });
}

}  // namespace meshstow::http
