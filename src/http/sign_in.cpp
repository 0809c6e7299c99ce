#include "http/sign_in.hpp"

#include "codec/hex.hpp"
#include "http/json_text.hpp"
#include "http/replies.hpp"

namespace meshstow::http {

Reply session_reply(Core& core, const Context& context, Now now, bool signed_in) {
  const std::string name = core.config.status ? core.config.status().name : "";
  const std::string address =
      core.config.account + "@" + core.shown_endpoint(context.endpoint).authority();
  const auto boolean = [](bool value) { return value ? "true" : "false"; };
  std::string json = "{\"nonce\":" + json_string(core.calls.nonce(now));
  json += ",\"address\":" + json_string(address) + ",\"name\":" + json_string(name);
  (json += ",\"passphrase\":") += boolean(core.passphrase.has_value());
  (json += ",\"signed_in\":") += boolean(signed_in);
  return json_reply(context, 200, json + "}");
}

void SignIn::on_whole(Now now, std::string body) {
  const auto form = parse_form(body);
  if (!form) return reply(error_reply(context_, 400, "The form is malformed."));
  if (const auto key = form_value(*form, "key")) {
    key_ = SessionKey::of_public_key(*key);
  } else {
    key_ = SessionKey::of_secret(form_value(*form, "secret").value_or(""));
  }
  if (const auto passphrase = form_value(*form, "passphrase")) {
    return try_passphrase(now, *passphrase);
  }
  if (!key_) return reply(error_reply(context_, 400, key_.error().detail));
  if (!core_.sessions.spend_link(now, form_value(*form, "link").value_or(""))) {
    return reply(error_reply(context_, 403, "This sign-in link was used before, or is too old."));
  }
  open(now);
}

void SignIn::try_passphrase(Now now, const std::string& passphrase) {
  if (!core_.passphrase) return reply(error_reply(context_, 400, "No passphrase is set."));
  // Counted before it is known to be wrong: many tries at once must not pass the limit. Whoever
  // tries through a proxy runs into the limit of all who do, and not into that of this machine.
  if (const auto wait = core_.passphrase_failures.note_failure(now, failure_key(context_, ""))) {
    return reply(too_many_requests(context_, *wait));
  }
  output(HashPassphrase{passphrase, core_.passphrase->salt});
}

void SignIn::on_hash(Now now, const std::optional<Hash32>& hash) {
  if (!hash) return reply(busy_reply(context_, "Too many sign in at once. Try again."));
  if (!core_.passphrase || !core_.passphrase->matches(*hash)) {
    return reply(error_reply(context_, 403, "That was not the passphrase."));
  }
  if (!key_) return reply(error_reply(context_, 400, key_.error().detail));
  open(now);
}

void SignIn::open(Now now) {
  Sessions::Opened opened = core_.sessions.open(now, *key_);
  for (Bytes& key : opened.removed) submit_and_forget(storage::RemoveRecord{std::move(key)});
  ask<storage::Done>(
      storage::PutRecord{std::move(opened.record.key), std::move(opened.record.value)},
      [this](Now, const storage::Outcome<storage::Done>& stored) {
        if (!stored) {
          core_.sessions.close(key_->id);
          return reply(failure_reply(context_, stored.error(), /*is_write=*/true));
        }
        reply(json_reply(context_, 200,
                         "{\"session\":" + json_string(codec::to_hex(key_->id)) + "}"));
      });
}

}  // namespace meshstow::http
