#include "node/storage_client.hpp"

#include <algorithm>
#include <map>

#include "base/limits.hpp"
#include "node/client_operation.hpp"
#include "node/wallet.hpp"

namespace meshstow::node {

struct StorageClient::State {
  State(reticulum::Endpoint& endpoint, ClientIdentities identities, base::Rng& rng,
        IssueToken issue_token)
      : context{.endpoint = endpoint, .identities = identities, .rng = rng},
        links(endpoint, identities, calls()),
        issue(std::move(issue_token)) {
    context.links = &links;
  }

  ClientLinks::Calls calls();
  OperationId start(Now at, protocol::Operation operation, ClientRequest request);
  [[nodiscard]] std::string token_for(Now at, const ClientRequest& request) const;
  template <class Call>
  void with(OperationId id, const Call& call);
  template <class Event>
  void pass_on(Now at, const Event& event);

  void on(Now at, const reticulum::ContentStarted& event);
  void on(Now at, const reticulum::RequestTimedOut& event);
  void on(Now at, const reticulum::ContentProgress& event);
  void on(Now at, const reticulum::ContentPiece& event) { pass_on(at, event); }
  void on(Now at, const reticulum::ContentDone& event) { pass_on(at, event); }
  void on(Now at, const reticulum::ContentFailed& event) { pass_on(at, event); }
  void on(Now at, const reticulum::ContentWanted& event) { pass_on(at, event); }
  void on(Now at, const reticulum::ContentUnsent& event) { pass_on(at, event); }
  void on(Now at, const reticulum::ContentSent& event) { pass_on(at, event); }
  void on(Now at, const reticulum::PathFound& event) { links.on(at, event); }
  void on(Now at, const reticulum::PathFailed& event) { links.on(at, event); }
  void on(Now at, const reticulum::LinkEstablished& event) { links.on(at, event); }
  void on(Now at, const reticulum::LinkClosed& event) { links.on(at, event); }
  template <class Other>
  void on(Now /*at*/, const Other& /*event*/) {}

  ClientContext context;
  ClientLinks links;
  IssueToken issue;
  Wallet wallet;
  std::map<OperationId, std::shared_ptr<ClientOperation>> operations;
  OperationId last_id = 0;
  Now now{};
};

ClientLinks::Calls StorageClient::State::calls() {
  ClientLinks::Calls out;
  out.ready = [this](Now at, OperationId id, const reticulum::LinkId& link,
                     const reticulum::Identity& signer) {
    with(id, [&](ClientOperation& operation) { operation.on_link(at, link, signer); });
  };
  out.failed = [this](Now at, OperationId id, const Error& why, const std::string& message) {
    with(id, [&](ClientOperation& operation) { operation.on_link_failed(at, why, message); });
  };
  out.stage = [this](OperationId id, ClientStage stage) {
    with(id, [&](ClientOperation& operation) { operation.on_stage(stage); });
  };
  return out;
}

// Calls the operation, if it is still there, and lets go of it once it has ended.
template <class Call>
void StorageClient::State::with(OperationId id, const Call& call) {
  const auto found = operations.find(id);
  if (found == operations.end()) return;
  const auto operation = found->second;
  call(*operation);
  if (operation->ended()) operations.erase(id);
}

template <class Event>
void StorageClient::State::pass_on(Now at, const Event& event) {
  const auto found = std::find_if(operations.begin(), operations.end(), [&](const auto& each) {
    return each.second->has(event.transfer);
  });
  if (found == operations.end()) return;
  with(found->first, [&](ClientOperation& operation) { operation.on(at, event); });
}

void StorageClient::State::on(Now at, const reticulum::ContentStarted& event) {
  const auto found = std::find_if(operations.begin(), operations.end(), [&](const auto& each) {
    return each.second->asked(event.link, event.request);
  });
  if (event.kind == reticulum::ContentKind::response && found != operations.end()) {
    return with(found->first, [&](ClientOperation& operation) { operation.on(at, event); });
  }
  // Nobody waits for it any more: do not let it fill the air.
  if (!event.one_packet) context.endpoint.cancel(at, event.transfer);
}

void StorageClient::State::on(Now at, const reticulum::RequestTimedOut& event) {
  const auto found = std::find_if(operations.begin(), operations.end(), [&](const auto& each) {
    return each.second->asked(event.link, event.request);
  });
  if (found == operations.end()) return;
  with(found->first, [&](ClientOperation& operation) { operation.on(at, event); });
}

void StorageClient::State::on(Now at, const reticulum::ContentProgress& event) {
  if (!event.request) return;
  const auto found = std::find_if(operations.begin(), operations.end(), [&](const auto& each) {
    return each.second->asked(event.link, *event.request);
  });
  if (found == operations.end()) return;
  with(found->first, [&](ClientOperation& operation) { operation.on(at, event); });
}

// What anybody may read is asked for without showing a token that was not given for it.
std::string StorageClient::State::token_for(Now at, const ClientRequest& request) const {
  if (!request.token.empty()) return request.token;
  const bool reads = request.operation == protocol::Operation::get;
  if (reads && request.path.category() == Category::public_ && !request.path.is_folder()) return {};
  const auto right = reads ? access::Operation::read : access::Operation::write;
  return wallet.find(right, request.path, at.wall).value_or("");
}

OperationId StorageClient::State::start(Now at, protocol::Operation kind, ClientRequest request) {
  now = at;
  request.operation = kind;
  const OperationId id = ++last_id;
  if (operations.size() >= limits::kClientOperations) {
    OperationFailed failed{.operation = id, .why = {Errc::limit, "too many operations at once"}};
    failed.error.code = protocol::StoreCode::storage_full;
    failed.error.status = 503;
    failed.error.message = failed.why.detail;
    context.events.push_back(std::move(failed));
    return id;
  }
  std::string token = token_for(at, request);
  operations.emplace(
      id, std::make_shared<ClientOperation>(context, id, std::move(request), std::move(token)));
  with(id, [&](ClientOperation& operation) { operation.start(at); });
  return id;
}

StorageClient::StorageClient(reticulum::Endpoint& endpoint, ClientIdentities identities,
                             base::Rng& rng, IssueToken issue)
    : state_(std::make_unique<State>(endpoint, identities, rng, std::move(issue))) {}

StorageClient::~StorageClient() = default;

OperationId StorageClient::get(Now now, ClientRequest request) {
  return state_->start(now, protocol::Operation::get, std::move(request));
}

OperationId StorageClient::put(Now now, ClientRequest request) {
  return state_->start(now, protocol::Operation::put, std::move(request));
}

OperationId StorageClient::remove(Now now, ClientRequest request) {
  return state_->start(now, protocol::Operation::remove, std::move(request));
}

OperationId StorageClient::list(Now now, ClientRequest request) {
  return state_->start(now, protocol::Operation::get, std::move(request));
}

void StorageClient::supply_body(Now now, OperationId operation, ByteView bytes) {
  state_->now = now;
  state_->with(operation, [&](ClientOperation& each) { each.supply_body(now, bytes); });
}

void StorageClient::body_taken(Now now, OperationId operation) {
  state_->now = now;
  state_->with(operation, [&](ClientOperation& each) { each.body_taken(now); });
}

void StorageClient::cancel(Now now, OperationId operation) {
  state_->now = now;
  state_->with(operation, [&](ClientOperation& each) { each.cancel(now); });
}

Result<std::string> StorageClient::get_token(Now now, std::string_view scope) {
  state_->now = now;
  const auto wanted = access::Scope::parse(scope);
  if (!wanted) return fail(wanted.error());
  if (auto held = state_->wallet.find(*wanted, now.wall)) return std::move(*held);
  if (!state_->issue) return fail(Errc::denied, "no token covers it");
  auto issued = state_->issue(now, *wanted);
  if (issued) state_->wallet.add(*issued);
  return issued;
}

void StorageClient::add_token(std::string text) { state_->wallet.add(std::move(text)); }

void StorageClient::handle_event(Now now, const reticulum::Event& event) {
  state_->now = now;
  std::visit([&](const auto& each) { state_->on(now, each); }, event);
}

bool StorageClient::owns(const reticulum::LinkId& link) const { return state_->links.owns(link); }

void StorageClient::interfaces_changed(Now now, std::size_t up) {
  state_->now = now;
  state_->links.interfaces_changed(now, up);
}

void StorageClient::handle_deadline(Now now) {
  state_->now = now;
  state_->links.handle_deadline(now);
  std::vector<OperationId> due;
  for (const auto& [id, operation] : state_->operations) {
    if (now.mono >= operation->deadline()) due.push_back(id);
  }
  for (const OperationId id : due) {
    state_->with(id, [&](ClientOperation& operation) { operation.handle_deadline(now); });
  }
}

TimePoint StorageClient::deadline() const {
  TimePoint out = state_->links.deadline();
  for (const auto& [id, operation] : state_->operations) {
    out = std::min(out, operation->deadline());
  }
  return out;
}

std::optional<ClientEvent> StorageClient::poll() {
  if (state_->context.events.empty()) return std::nullopt;
  std::optional<ClientEvent> out(std::move(state_->context.events.front()));
  state_->context.events.pop_front();
  return out;
}

Now StorageClient::last_call() const { return state_->now; }

}  // namespace meshstow::node
