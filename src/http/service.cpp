#include "http/service.hpp"

#include "base/check.hpp"
#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "codec/http_date.hpp"
#include "http/core.hpp"
#include "http/dashboard_api.hpp"
#include "http/replies.hpp"
#include "http/router.hpp"

namespace meshstow::http {

struct Service::State {
  State(ServiceConfig config, access::TokenBook& tokens, access::AccessControl& control,
        storage::Uploads& uploads, base::Rng& rng)
      : core(std::move(config), tokens, control, uploads, rng) {}

  Core core;
  std::int64_t date_second = -1;
  std::string date;
  bool work_shown = false;
  TimePoint uses_stored{};
};

Service::Service(ServiceConfig config, access::TokenBook& tokens, access::AccessControl& control,
                 storage::Uploads& uploads, base::Rng& rng)
    : state_(std::make_unique<State>(std::move(config), tokens, control, uploads, rng)) {
  MESHSTOW_CHECK(!state_->core.config.endpoints.empty());
}

Service::~Service() = default;

void Service::load_record(Now now, ByteView key, ByteView value) {
  const std::string_view name = base::as_text(key);
  if (name.starts_with(kSessionRecordPrefix)) {
    state_->core.sessions.load(now, key, value);
  } else if (name == kPassphraseRecordKey) {
    if (auto verifier = PassphraseVerifier::decode(value))
      state_->core.passphrase = std::move(*verifier);
  } else if (auto app = decode_manifest(key, value)) {
    set_app(std::move(*app));
  }
}

std::unique_ptr<Exchange> Service::begin(Now now, const Request& request) {
  Router router(state_->core, now, request);
  auto exchange = router.route();
  exchange->set_holder(router.holder());
  return exchange;
}

Reply Service::refusal(int status, std::string_view message) {
  Context context;
  context.cors = true;
  Reply reply = error_reply(context, status, message);
  reply.head.content_length = view_of(reply.body).size();
  reply.head.close = true;
  return reply;
}

const std::string& Service::http_date(Now now) {
  const std::int64_t second = base::unix_seconds(now.wall);
  if (second != state_->date_second) {
    state_->date_second = second;
    state_->date = codec::format_http_date(now.wall);
  }
  return state_->date;
}

std::string Service::sign_in_link(Now now, std::size_t listener) {
  // The number makes an address that no cache of a browser knows.
  const std::string number = codec::to_hex(state_->core.rng.bytes<4>());
  return state_->core.shown_endpoint(listener).dashboard_origin({}) + "/signin?" + number + "#" +
         state_->core.sessions.make_link(now);
}

std::string Service::address(std::size_t listener) const {
  return state_->core.config.account + "@" + state_->core.shown_endpoint(listener).authority();
}

void Service::set_passphrase(std::optional<PassphraseVerifier> verifier) {
  state_->core.passphrase = std::move(verifier);
}

void Service::set_app(AppManifest manifest) {
  auto& apps = state_->core.apps;
  if (apps.size() >= limits::kApps && !apps.contains(manifest.name)) return;
  std::string name = manifest.name;
  apps.insert_or_assign(std::move(name), std::move(manifest));
}

void Service::remove_app(const std::string& name) { state_->core.apps.erase(name); }

std::vector<AppManifest> Service::apps() const {
  std::vector<AppManifest> out;
  for (const auto& [name, app] : state_->core.apps) out.push_back(app);
  return out;
}

std::vector<const base::Shares*> Service::bounds() const {
  return {&state_->core.live.places(), &state_->core.reads};
}

void Service::document_changed(Now now, const StoragePath& path, const storage::ETag& etag,
                               bool deleted) {
  state_->core.live.changed(now, path, etag, deleted);
}

void Service::report(std::uint64_t id, std::optional<WorkProgress> progress) {
  MESHSTOW_CHECK(id % 2 == 1);
  // Told once a second, by handle_deadline(): steps come much faster than anybody can look.
  if (progress) {
    state_->core.work.insert_or_assign(id, std::move(*progress));
  } else {
    state_->core.work.erase(id);
  }
}

std::vector<access::StoredRecord> Service::records_to_store(Now now, bool all) {
  if (!all && now.mono - state_->uses_stored < kUsesEvery) return {};
  state_->uses_stored = now.mono;
  return state_->core.cache.take_uses();
}

void Service::handle_deadline(Now now) {
  state_->core.live.handle_deadline(now);
  const bool work = !state_->core.work.empty();
  if (work || state_->work_shown) {
    state_->core.live.tell_dashboard(now, "work", work_json(state_->core.work));
  }
  state_->work_shown = work;
}

}  // namespace meshstow::http
