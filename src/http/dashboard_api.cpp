#include "http/dashboard_api.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "codec/hex.hpp"
#include "codec/json.hpp"
#include "codec/utf8.hpp"
#include "http/pages.hpp"
#include "http/replies.hpp"

namespace meshstow::http {
namespace {

namespace json = boost::json;

json::string_view text(std::string_view view) { return {view.data(), view.size()}; }

json::value seconds(const std::optional<WallTime>& time) {
  if (!time) return nullptr;
  return base::unix_seconds(*time);
}

std::string_view category_name(Category category) {
  switch (category) {
    case Category::public_: return "public";
    case Category::private_: return "private";
    case Category::shared: return "shared";
    case Category::root: break;
  }
  return "";
}

// How many earlier versions a document keeps at most, where the user has said so.
json::object history_json(const storage::Usage& usage) {
  json::object modules;
  for (const storage::ModuleRules& rules : usage.rules) {
    if (rules.history) modules[text(rules.module)] = rules.history->keep_versions;
  }
  return {{"versions", usage.history ? json::value(usage.history->keep_versions) : nullptr},
          {"modules", std::move(modules)}};
}

json::object usage_json(const storage::Usage& usage, std::uint64_t disk_free) {
  json::array modules;
  for (const storage::ModuleUsage& module : usage.modules) {
    if (module.documents == 0 && module.history_bytes == 0) continue;
    modules.push_back(
        {{"category", text(category_name(module.category))},
         {"module", text(module.module)},
         {"documents", module.documents},
         {"bytes", module.bytes},
         {"history_bytes", module.history_bytes},
         {"quota", module.quota ? json::value(*module.quota) : json::value(nullptr)}});
  }
  return {{"documents", usage.documents},
          {"bytes", usage.bytes},
          {"history_bytes", usage.history_bytes},
          {"quota", usage.quota ? json::value(*usage.quota) : json::value(nullptr)},
          {"available", usage.quota ? usage.space_left : disk_free},
          {"modules", std::move(modules)},
          {"history", history_json(usage)}};
}

json::object node_json(const NodeStatus& status) {
  json::array peers;
  for (const PeerStatus& peer : status.peers) {
    peers.push_back({{"destination", text(peer.destination)},
                     {"hops", peer.hops},
                     {"heard", base::unix_seconds(peer.heard)},
                     {"space_available", peer.space_available ? json::value(*peer.space_available)
                                                              : json::value(nullptr)}});
  }
  json::array bounds;
  for (const auto& [bound, counts] : status.bounds) {
    bounds.push_back({{"name", text(bound.name)},
                      {"held", counts.all()},
                      {"whole", bound.whole},
                      {"owner", counts.owner},
                      {"guests", counts.guests},
                      {"strangers", counts.strangers},
                      {"most", counts.most},
                      {"refused", counts.refused + counts.evicted}});
  }
  return {{"name", text(status.name)},       {"owner", text(status.owner)},
          {"device", text(status.device)},   {"destination", text(status.destination)},
          {"version", text(status.version)}, {"peers", std::move(peers)},
          {"bounds", std::move(bounds)}};
}

json::array tokens_json(const std::vector<access::TokenRecord>& tokens) {
  json::array out;
  for (const access::TokenRecord& token : tokens) {
    if (token.revoked) continue;
    json::array scopes;
    json::array words;
    for (const access::Scope& scope : token.capability.scopes) {
      scopes.push_back(text(scope.text()));
      words.push_back(text(scope.is_path() ? scope.text() : describe_scope(scope)));
    }
    out.push_back({{"id", text(codec::to_hex(token.capability.id))},
                   {"label", text(token.label)},
                   {"scopes", std::move(scopes)},
                   {"words", std::move(words)},
                   {"created", base::unix_seconds(token.created)},
                   {"last_used", seconds(token.last_used)},
                   {"expires", seconds(token.capability.expires)}});
  }
  return out;
}

json::array apps_json(const Core& core, const Context& context) {
  const Endpoint& endpoint = core.config.endpoints[context.endpoint];
  json::array out;
  for (const auto& [name, app] : core.apps) {
    // Storage first: the app starts connecting to this address by itself.
    const std::string url = endpoint.app_origin(name) + "/#remotestorage=" + core.config.account +
                            "@" + endpoint.authority();
    out.push_back({{"name", text(name)},
                   {"title", text(app.title)},
                   {"url", text(url)},
                   {"bytes", app.bytes()}});
  }
  return out;
}

json::array work_array(const std::map<std::uint64_t, WorkProgress>& work) {
  json::array out;
  for (const auto& [id, progress] : work) {
    out.push_back({{"id", id},
                   {"title", text(progress.title)},
                   {"done", progress.done},
                   {"total", progress.total},
                   {"counted", progress.counted}});
  }
  return out;
}

tl::expected<access::TokenOrder, const char*> read_order(const std::string& body) {
  const auto parsed = codec::parse_strict_json(body);
  if (!parsed || !parsed->is_object()) return tl::unexpected<const char*>("not a JSON object");
  access::TokenOrder order;
  const auto& object = parsed->get_object();
  const auto* scopes = object.if_contains("scopes");
  if (scopes == nullptr || !scopes->is_array()) return tl::unexpected<const char*>("no scopes");
  for (const json::value& scope : scopes->get_array()) {
    if (!scope.is_string()) return tl::unexpected<const char*>("a scope is a text");
    auto read = access::Scope::parse(std::string_view(scope.get_string()));
    if (!read) return tl::unexpected(read.error().detail);
    order.scopes.push_back(std::move(*read));
  }
  if (const auto* label = object.if_contains("label"); label != nullptr && label->is_string()) {
    order.label = std::string(std::string_view(label->get_string()));
  }
  if (const auto* days = object.if_contains("days"); days != nullptr && days->is_int64()) {
    if (days->get_int64() < 1 || days->get_int64() > 3660)
      return tl::unexpected<const char*>("days are 1 to 3660");
    order.lifetime = std::chrono::hours(24 * days->get_int64());
  }
  return order;
}

}  // namespace

std::string work_json(const std::map<std::uint64_t, WorkProgress>& work) {
  return codec::with_valid_utf8(json::serialize(work_array(work)));
}

StateGet::StateGet(Core& core, Context context) : core_(core), context_(std::move(context)) {
  ask<storage::Usage>(storage::ReadUsage{}, [this](Now, const auto& usage) { finish(usage); });
}

void StateGet::finish(const storage::Outcome<storage::Usage>& usage) {
  Reply reply;
  if (usage) {
    const NodeStatus status = core_.config.status ? core_.config.status() : NodeStatus{};
    const Endpoint& endpoint = core_.shown_endpoint(context_.endpoint);
    const json::object state{{"address", text(core_.config.account + "@" + endpoint.authority())},
                             {"usage", usage_json(*usage, status.disk_free)},
                             {"node", node_json(status)},
                             {"tokens", tokens_json(core_.tokens.list())},
                             {"apps", apps_json(core_, context_)},
                             {"work", work_array(core_.work)}};
    reply = json_reply(context_, 200, codec::with_valid_utf8(json::serialize(state)));
  } else {
    reply = failure_reply(context_, usage.error(), /*is_write=*/false);
  }
  reply.head.content_length = view_of(reply.body).size();
  send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
}

void TokenCreate::on_whole(Now now, std::string body) {
  auto order = read_order(body);
  if (!order) return reply(error_reply(context_, 400, order.error()));
  auto issued = core_.tokens.issue(now, *order);
  if (!issued) return reply(error_reply(context_, 400, issued.error().detail));
  const json::object answer{{"token", text(issued->text)}, {"id", text(codec::to_hex(issued->id))}};
  ask<storage::Done>(storage::PutRecord{issued->record.key, issued->record.value},
                     [this, id = issued->id, made = json::serialize(answer)](
                         Now then, const storage::Outcome<storage::Done>& stored) {
                       if (!stored) {
                         core_.drop_token(then, id);
                         return reply(failure_reply(context_, stored.error(), /*is_write=*/true));
                       }
                       reply(json_reply(context_, 201, made));
                     });
}

RecordRemoval::RecordRemoval(Context context, std::vector<Bytes> keys, std::function<void()> then)
    : context_(std::move(context)), left_(keys.size()), then_(std::move(then)) {
  for (Bytes& key : keys) {
    ask<storage::Done>(storage::RemoveRecord{std::move(key)},
                       [this](Now, const auto& outcome) { removed(outcome); });
  }
}

void RecordRemoval::removed(const storage::Outcome<storage::Done>& outcome) {
  // A record that is gone already is as good as removed.
  if (!outcome && outcome.error().refusal != storage::Refusal::not_found) {
    failure_ = outcome.error();
  }
  if (--left_ > 0) return;
  if (!failure_) then_();
  Reply reply = failure_ ? failure_reply(context_, *failure_, /*is_write=*/true)
                         : json_reply(context_, 200, "{}");
  reply.head.content_length = view_of(reply.body).size();
  send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
}

TokenRevoke::TokenRevoke(Context context, access::Revocation revocation)
    : context_(std::move(context)), revocation_(std::move(revocation)) {
  ask<storage::Done>(storage::PutRecord{revocation_.record().key, revocation_.record().value},
                     [this](Now, const auto& outcome) { stored(outcome); });
}

void TokenRevoke::stored(const storage::Outcome<storage::Done>& outcome) {
  revocation_.finish(outcome.has_value());
  Reply reply = outcome ? json_reply(context_, 200, "{}")
                        : failure_reply(context_, outcome.error(), /*is_write=*/true);
  reply.head.content_length = view_of(reply.body).size();
  send({.head = std::move(reply.head), .body = std::move(reply.body), .last = true});
}

}  // namespace meshstow::http
