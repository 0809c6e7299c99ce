#include <charconv>

#include "codec/hash_text.hpp"
#include "io/command_work.hpp"
#include "io/http_server.hpp"
#include "io/load.hpp"
#include "io/network_report.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

class Id final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    const auto& identities = host_.home().identities();
    finish({{"owner", codec::to_hex(identities.owner.hash())},
            {"device", codec::to_hex(identities.device.hash())},
            {"destination", codec::to_hex(host_.home().destination())},
            {"name", host_.home().settings().name}});
  }
};

std::string_view category_name(Category category) {
  switch (category) {
    case Category::public_: return "public";
    case Category::private_: return "private";
    case Category::shared: return "shared";
    case Category::root: break;
  }
  return "root";
}

json::value number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? json::value(*number) : json::value();
}

json::array modules_json(const storage::Usage& usage) {
  json::array out;
  for (const auto& module : usage.modules) {
    out.push_back(json::object{{"category", category_name(module.category)},
                               {"module", module.module},
                               {"documents", module.documents},
                               {"bytes", module.bytes},
                               {"quota", number_or_null(module.quota)},
                               {"history_bytes", module.history_bytes}});
  }
  return out;
}

// A clock that was seen to jump since the store was opened, by how much, and what that holds back.
json::object clock_json(const storage::Usage& usage) {
  const std::int64_t jumped = usage.clock_jump.count();
  return {{"jumped_seconds", jumped == 0 ? json::value() : json::value(jumped)},
          {"sweep_held", usage.sweep_is_held}};
}

class Status final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    ask<storage::Usage>(storage::ReadUsage{}, [this](const storage::Usage& usage) { tell(usage); });
  }

 private:
  void tell(const storage::Usage& usage) {
    const auto& identities = host_.home().identities();
    const HttpServer* http = host_.http_server();  // null without `serve`, or with --http off
    finish({{"owner", codec::to_hex(identities.owner.hash())},
            {"device", codec::to_hex(identities.device.hash())},
            {"destination", codec::to_hex(host_.home().destination())},
            {"name", host_.home().settings().name},
            {"http", http == nullptr ? json::value() : json::value(http->origin())},
            {"address", http == nullptr ? json::value() : json::value(http->address())},
            {"documents", usage.documents},
            {"bytes", usage.bytes},
            {"quota", number_or_null(usage.quota)},
            {"space_left", usage.space_left},
            {"history_bytes", usage.history_bytes},
            {"fingerprint", codec::to_hex(usage.fingerprint)},
            {"pending_changes", 0},
            {"conflicts", 0},
            {"peers", host_.node().peers().size()},
            {"modules", modules_json(usage)},
            {"clock", clock_json(usage)},
            {"listening", listening_json(host_)},
            {"network", network_json(host_.network())},
            {"interfaces", interfaces_json(host_.network())},
            {"load", load_json(host_)}});
  }
};

class Peers final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    json::array list;
    for (const node::PeerInfo& peer : host_.node().peers()) list.push_back(peer_json(peer));
    finish({{"peers", std::move(list)}});
  }

 private:
  json::object peer_json(const node::PeerInfo& peer) const {
    json::object out{{"destination", codec::to_hex(peer.destination)},
                     {"identity", codec::to_hex(peer.identity)},
                     {"hops", peer.hops},
                     {"heard", json_time(peer.heard)}};
    for (const auto& [name, hash] : host_.home().settings().peers) {
      if (hash == peer.destination) out["name"] = name;
    }
    if (!peer.announcement) return out;
    const auto& said = *peer.announcement;
    out["capabilities"] = json::array(said.capabilities.begin(), said.capabilities.end());
    out["space_available"] = said.space_available;
    if (said.fingerprint) out["fingerprint"] = codec::to_hex(*said.fingerprint);
    return out;
  }
};

// 90s, 15m, 24h, 30d.
Result<std::chrono::seconds> parse_lifetime(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const std::int64_t seconds = unit == "s"   ? 1
                               : unit == "m" ? 60
                               : unit == "h" ? 3600
                               : unit == "d" ? 86'400
                                             : 0;
  if (error != std::errc{} || seconds == 0 || number <= 0 || number > 36'500 * 86'400LL / seconds) {
    return fail(Errc::malformed, "a lifetime is a number with s, m, h or d, such as 24h");
  }
  return std::chrono::seconds(number * seconds);
}

class TokenCreate final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    access::TokenOrder order;
    order.label = command_.label;
    for (const std::string& text : command_.scopes) {
      const auto scopes = access::parse_scopes(text);
      if (!scopes) return fail_invalid(scopes.error());
      order.scopes.insert(order.scopes.end(), scopes->begin(), scopes->end());
    }
    if (!command_.holder.empty()) {
      const auto holder = find_identity(host_, command_.holder);
      if (!holder) return fail(holder.error());
      order.holder = *holder;
    }
    if (!command_.expires.empty()) {
      const auto lifetime = parse_lifetime(command_.expires);
      if (!lifetime) return fail_invalid(lifetime.error());
      order.lifetime = *lifetime;
    }
    auto issued = host_.node().tokens().issue(host_.now(), order);
    if (!issued) return fail_invalid(issued.error());
    issued_ = std::move(*issued);
    host_.store(
        storage::PutRecord{issued_.record.key, issued_.record.value},
        [this, alive = shared_from_this()](const storage::Outcome<storage::Answer>& stored) {
          if (!stored) drop();
          if (over()) return;
          if (!stored) return fail(stored.error());
          finish({{"token", issued_.text}, {"id", codec::to_hex(issued_.id)}});
        });
  }

 private:
  // Nobody has its text; the list calls it revoked until the next start has forgotten it.
  void drop() {
    if (auto revocation = host_.node().revoker().begin(host_.now(), issued_.id)) {
      revocation->finish(/*stored=*/true);
    }
  }

  access::IssuedToken issued_;
};

class TokenList final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    json::array list;
    for (const access::TokenRecord& record : host_.node().tokens().list()) {
      list.push_back(record_json(record));
    }
    finish({{"tokens", std::move(list)}});
  }

 private:
  static json::object record_json(const access::TokenRecord& record) {
    const access::Capability& capability = record.capability;
    json::object out{{"id", codec::to_hex(capability.id)},
                     {"scopes", access::to_text(capability.scopes)},
                     {"label", record.label},
                     {"created", json_time(record.created)},
                     {"revoked", record.revoked}};
    if (capability.holder) out["holder"] = codec::to_hex(*capability.holder);
    if (capability.expires) out["expires"] = json_time(*capability.expires);
    if (record.last_used) out["last_used"] = json_time(*record.last_used);
    return out;
  }
};

class TokenRevoke final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    const auto id = find();
    if (!id) return;
    auto revocation = host_.node().revoker().begin(host_.now(), *id);
    if (!revocation) return fail_invalid(revocation.error());
    const auto kept = std::make_shared<access::Revocation>(std::move(*revocation));
    host_.store(storage::PutRecord{kept->record().key, kept->record().value},
                [work = self(this), kept](const storage::Outcome<storage::Answer>& outcome) {
                  kept->finish(outcome.has_value());
                  if (!work->over()) work->tell(*kept, outcome);
                });
  }

 private:
  void tell(const access::Revocation& revocation,
            const storage::Outcome<storage::Answer>& outcome) {
    if (!outcome) return fail(outcome.error());
    finish({{"id", codec::to_hex(revocation.id())}, {"known", revocation.was_known()}});
  }

  // A full id names a token that this store does not know too: one made after a backup, say.
  std::optional<access::TokenId> find() {
    const std::string digits = codec::hash_digits(command_.token_id).value_or("");
    if (const auto whole = codec::fixed_from_hex<access::TokenId::size()>(digits)) return *whole;
    std::vector<access::TokenId> found;
    for (const access::TokenRecord& record : host_.node().tokens().list()) {
      const auto& id = record.capability.id;
      if (!digits.empty() && codec::to_hex(id).starts_with(digits)) found.push_back(id);
    }
    if (found.size() == 1) return found.front();
    if (!found.empty()) {
      fail("several tokens begin like this");
    } else {
      fail(protocol::StoreCode::path_not_found, 404,
           "there is no such token; the 16 digits of its id revoke one that is not known here");
    }
    return std::nullopt;
  }
};

class Unknown final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override { fail("this is no command"); }
};

}  // namespace

std::shared_ptr<CommandWork> make_node_command(NodeHost& host, Command command,
                                               CommandChannel channel) {
  if (command.verb == "id") return make_work<Id>(host, command, channel);
  if (command.verb == "status") return make_work<Status>(host, command, channel);
  if (command.verb == "peers") return make_work<Peers>(host, command, channel);
  if (command.verb == "token create") return make_work<TokenCreate>(host, command, channel);
  if (command.verb == "token list") return make_work<TokenList>(host, command, channel);
  if (command.verb == "token revoke") return make_work<TokenRevoke>(host, command, channel);
  return make_work<Unknown>(host, command, channel);
}

}  // namespace meshstow::io
