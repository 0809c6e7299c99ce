#include "node/storage_node.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include "base/check.hpp"
#include "base/limits.hpp"
#include "node/announcer.hpp"
#include "node/mesh_server.hpp"
#include "node/peer_list.hpp"
#include "node/store_port.hpp"

namespace meshstow::node {
namespace {

constexpr Duration kUsageDelay = std::chrono::seconds(1);  // after a write, for more of them
constexpr std::chrono::hours kOwnTokenLifetime{24};
constexpr std::string_view kOwnTokenLabel = "client";
// How far announces have come in time (Unix seconds) is noted this often while the clock is right:
// whoever starts with one that went back begins behind what may have been said since. Announces
// that are ahead of the clock, one second after another, are each noted: nothing creeps away then.
constexpr std::uint64_t kAnnouncedNotedEvery = 600;
constexpr std::uint64_t kAnnouncedUnnoted = 2 * kAnnouncedNotedEvery;
constexpr std::uint64_t kAnnouncedUnnotedWhenAhead = 3;  // not yet on the disk at a crash
constexpr std::uint64_t kSameMoment = 10;
constexpr std::uint64_t kLatestAnnounced = 1ULL << 40;

const access::SpaceKey& own_space_key(const NodeIdentities& identities) {
  const access::SpaceKey* key = identities.keys.current(identities.owner.hash());
  MESHSTOW_CHECK(key != nullptr);
  return *key;
}

}  // namespace

struct StorageNode::State {
  State(NodeIdentities own, NodeOptions with, base::Rng& random);

  void read_tokens(const StoreOutcome& outcome);
  bool refuse_damaged(ByteView record_key);
  void read_announced(const StoreOutcome& outcome);
  bool note_announced();
  [[nodiscard]] std::uint64_t announced_before(Now at) const;
  void read_usage(Now at, const StoreOutcome& outcome);
  void join(Now at);
  void initialise_failed(const char* detail, Errc code);
  void refresh_usage();
  void document_changed(Now at, const StoragePath& path, const storage::ETag& etag, bool deleted);
  Result<std::string> issue_own_token(Now at, const access::Scope& scope);
  void handle_event(Now at, const reticulum::Event& event);
  void interfaces_changed(Now at);
  void heard(Now at, const reticulum::AnnounceHeard& announce);
  [[nodiscard]] TimePoint deadline(TimePoint of_endpoint) const;
  std::optional<NodeOutput> next_of_ours();

  NodeIdentities identities;
  NodeOptions options;
  base::Rng& rng;
  reticulum::Endpoint endpoint;
  StorePort store;
  storage::Uploads uploads;
  access::AccessControl access;
  access::TokenBook tokens;
  access::Revoker revoker;
  ServerContext context;
  MeshServer server;
  StorageClient client;
  Announcer announcer;
  PeerList peers;
  std::set<reticulum::InterfaceId> interfaces;  // that are up
  Hash10 node_name;
  reticulum::DestinationHash destination;
  std::deque<NodeEvent> events;
  Now now{};  // of the last call, for events that poll() finds
  bool initialised = false;
  bool usage_is_read = false;  // right now
  TimePoint usage_due = kNever;
  struct Announced {
    std::uint64_t seconds = 0;
    bool ahead = false;  // of the clock
  };
  Announced announced;  // as noted
};

StorageNode::State::State(NodeIdentities own, NodeOptions with, base::Rng& random)
    : identities(std::move(own)),
      options(with),
      rng(random),
      endpoint(random, options.endpoint),
      access(identities.owner.hash(), identities.owner.public_identity().signing_key()),
      tokens(
          identities.owner.hash(),
          [this](ByteView message) { return identities.owner.sign(message); },
          own_space_key(identities), random),
      revoker(tokens, access),
      context{.endpoint = endpoint,
              .store = store,
              .access = access,
              .tokens = tokens,
              .device = identities.device,
              .owner = identities.owner.hash(),
              .keys = identities.keys,
              .space_key = own_space_key(identities),
              .rng = random,
              .uploads = uploads,
              .on_change = [this](Now at, const StoragePath& path, const storage::ETag& etag,
                                  bool deleted) { document_changed(at, path, etag, deleted); }},
      server(context),
      client(endpoint, {&identities.owner, &identities.device, &identities.keys}, random,
             [this](Now at, const access::Scope& scope) { return issue_own_token(at, scope); }),
      announcer(endpoint, random, options.announce_every),
      node_name(reticulum::name_hash(kDestinationName)),
      destination(reticulum::destination_hash(kDestinationName, identities.device.hash())) {
  access.add_device(identities.device.hash());
}

// ---- Start.

void StorageNode::State::read_tokens(const StoreOutcome& outcome) {
  if (!outcome) return initialise_failed(outcome.error().detail, Errc::unavailable);
  const auto* list = std::get_if<storage::RecordList>(&*outcome);
  if (list == nullptr) return initialise_failed("the store gave no records", Errc::internal);
  bool known =
      std::ranges::all_of(list->damaged, [this](ByteView key) { return refuse_damaged(key); });
  for (const auto& [key, value] : list->records) {
    const auto record = tokens.load(key, value);
    if (!record) known = refuse_damaged(key) && known;
    if (record && record->revoked) access.revoke(record->capability.id);
  }
  if (!known) return initialise_failed("a token record is damaged", Errc::corrupt);
  store.submit(storage::ReadUsage{},
               [this](Now later, const StoreOutcome& usage) { read_usage(later, usage); });
}

// A record that cannot be read may be a revocation: to go on with its token would let a revoked one
// in. False: nobody knows which token that is.
bool StorageNode::State::refuse_damaged(ByteView record_key) {
  const auto id = access::token_of_record(record_key);
  if (!id) return false;
  access.revoke(*id);
  events.push_back(TokenDamaged{*id});
  return true;
}

void StorageNode::State::read_usage(Now at, const StoreOutcome& outcome) {
  usage_is_read = false;
  const auto* usage = outcome ? std::get_if<storage::Usage>(&*outcome) : nullptr;
  if (usage != nullptr) announcer.usage_changed(at, *usage);
  if (initialised) return;
  // Whoever only reads does without the counts.
  const bool is_damaged = !outcome && outcome.error().refusal == storage::Refusal::corrupt;
  if (usage == nullptr && !is_damaged) {
    const char* why = outcome ? "the store gave no usage" : outcome.error().detail;
    return initialise_failed(why, Errc::unavailable);
  }
  join(at);
}

void StorageNode::State::read_announced(const StoreOutcome& outcome) {
  const auto* list = outcome ? std::get_if<storage::RecordList>(&*outcome) : nullptr;
  if (list == nullptr || list->records.empty()) return;
  const auto value = FixedBytes<9>::from(list->records.front().second);
  if (!value) return;
  announced.seconds = std::min(base::read_big_endian(value->view().first(8)), kLatestAnnounced);
  announced.ahead = value->view().back() != 0;
}

// True: there is something to store.
bool StorageNode::State::note_announced() {
  if (!initialised || !options.announces) return false;
  const std::uint64_t seconds = endpoint.announced_at(destination);
  const bool ahead = static_cast<std::int64_t>(seconds) > base::unix_seconds(now.wall);
  const bool first = announced.seconds == 0 || ahead;
  if (seconds < announced.seconds + (first ? 1 : kAnnouncedNotedEvery)) return false;
  announced = {seconds, ahead};
  Bytes value;
  base::append_big_endian(value, seconds);
  value.push_back(ahead ? 1 : 0);
  store.submit(storage::PutRecord{base::to_bytes(base::as_bytes(kAnnouncedRecordKey)), value});
  return true;
}

// Where announces have come at most, by the note and the clock.
std::uint64_t StorageNode::State::announced_before(Now at) const {
  const auto clock =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, base::unix_seconds(at.wall)));
  if (announced.ahead) return announced.seconds + kAnnouncedUnnotedWhenAhead;
  if (clock > announced.seconds) return announced.seconds;
  const bool right = clock + kSameMoment >= announced.seconds;
  return announced.seconds + (right ? kSameMoment : kAnnouncedUnnoted);
}

void StorageNode::State::join(Now at) {
  initialised = true;
  if (options.announces) {
    reticulum::DestinationOptions with;
    with.announced_before = announced_before(at);
    with.max_request =
        access::EnvelopeSealer::sealed_size(limits::kDocument) + limits::kMessageHead;
    endpoint.add_destination(at, identities.device, kDestinationName, with);
    announcer.start(at, destination);
  }
  events.push_back(Initialised{destination});
}

void StorageNode::State::initialise_failed(const char* detail, Errc code) {
  events.push_back(InitialiseFailed{{code, detail}});
}

// ---- Changes.

void StorageNode::State::document_changed(Now at, const StoragePath& path,
                                          const storage::ETag& etag, bool deleted) {
  events.push_back(DocumentChanged{path, etag, deleted});
  if (usage_due == kNever) usage_due = at.mono + kUsageDelay;
}

void StorageNode::State::refresh_usage() {
  usage_due = kNever;
  if (usage_is_read) return;
  usage_is_read = true;
  store.submit(storage::ReadUsage{},
               [this](Now later, const StoreOutcome& usage) { read_usage(later, usage); });
}

// For our own space, usable by this device only, and for a day: it is cheap to issue another.
Result<std::string> StorageNode::State::issue_own_token(Now at, const access::Scope& scope) {
  access::TokenOrder order;
  order.scopes.push_back(scope);
  order.holder = identities.device.hash();
  order.lifetime = kOwnTokenLifetime;
  order.label = kOwnTokenLabel;
  auto issued = tokens.issue(at, order);
  if (!issued) return fail(issued.error());
  store.submit(storage::PutRecord{issued->record.key, issued->record.value});
  return std::move(issued->text);
}

// ---- The mesh.

void StorageNode::State::handle_event(Now at, const reticulum::Event& event) {
  if (const auto* announce = std::get_if<reticulum::AnnounceHeard>(&event)) {
    return heard(at, *announce);
  }
  if (!server.handle_event(at, event)) client.handle_event(at, event);
}

void StorageNode::State::heard(Now at, const reticulum::AnnounceHeard& announce) {
  if (announce.name == node_name) events.push_back(PeerHeard{peers.heard(at, announce)});
}

void StorageNode::State::interfaces_changed(Now at) {
  announcer.interfaces_changed(at, interfaces.size());
  client.interfaces_changed(at, interfaces.size());
}

TimePoint StorageNode::State::deadline(TimePoint of_endpoint) const {
  return std::min(
      {of_endpoint, server.deadline(), client.deadline(), announcer.deadline(), usage_due});
}

// What is ready besides the endpoint's output.
std::optional<NodeOutput> StorageNode::State::next_of_ours() {
  if (auto request = store.next()) return NodeOutput(std::move(*request));
  if (!events.empty()) {
    NodeOutput out(std::move(events.front()));
    events.pop_front();
    return out;
  }
  if (auto event = client.poll()) return NodeOutput(NodeEvent(std::move(*event)));
  return std::nullopt;
}

// ---- The node.

StorageNode::StorageNode(NodeIdentities identities, NodeOptions options, base::Rng& rng)
    : state_(std::make_unique<State>(std::move(identities), options, rng)) {}

StorageNode::~StorageNode() = default;

void StorageNode::initialise(Now now) {
  state_->now = now;
  state_->store.submit(storage::GetRecord{base::to_bytes(base::as_bytes(kAnnouncedRecordKey))},
                       [state = state_.get()](Now /*later*/, const StoreOutcome& outcome) {
                         state->read_announced(outcome);
                       });
  state_->store.submit(
      storage::ListRecords{base::to_bytes(base::as_bytes(access::kTokenRecordPrefix))},
      [state = state_.get()](Now /*later*/, const StoreOutcome& outcome) {
        state->read_tokens(outcome);
      });
}

void StorageNode::interface_up(Now now, reticulum::InterfaceId id, reticulum::InterfaceInfo info) {
  state_->now = now;
  state_->endpoint.interface_up(now, id, std::move(info));
  state_->interfaces.insert(id);
  state_->interfaces_changed(now);
}

void StorageNode::interface_down(Now now, reticulum::InterfaceId id) {
  state_->now = now;
  state_->endpoint.interface_down(now, id);
  state_->interfaces.erase(id);
  state_->interfaces_changed(now);
}

void StorageNode::handle_packet(Now now, reticulum::InterfaceId from, ByteView packet) {
  state_->now = now;
  state_->endpoint.handle_packet(now, from, packet);
}

void StorageNode::handle_store_reply(Now now, storage::StoreReply reply) {
  state_->now = now;
  state_->store.deliver(now, std::move(reply));
}

void StorageNode::handle_deadline(Now now) {
  state_->now = now;
  state_->endpoint.handle_deadline(now);
  state_->server.handle_deadline(now);
  state_->client.handle_deadline(now);
  state_->announcer.handle_deadline(now);
  if (now.mono >= state_->usage_due) state_->refresh_usage();
}

NodeOutput StorageNode::poll() {
  for (;;) {
    if (auto ours = state_->next_of_ours()) return std::move(*ours);
    auto output = state_->endpoint.poll();
    if (auto* transmit = std::get_if<reticulum::Transmit>(&output)) return std::move(*transmit);
    if (const auto* deadline = std::get_if<reticulum::Deadline>(&output)) {
      if (state_->note_announced()) continue;
      return reticulum::Deadline{state_->deadline(deadline->when)};
    }
    // The client may have been called without the node knowing.
    const Now of_client = state_->client.last_call();
    if (state_->now.mono < of_client.mono) state_->now = of_client;
    state_->handle_event(state_->now, std::get<reticulum::Event>(output));
  }
}

void StorageNode::usage_changed(Now now, const storage::Usage& usage) {
  state_->now = now;
  state_->announcer.usage_changed(now, usage);
}

void StorageNode::announce(Now now) {
  state_->now = now;
  state_->announcer.announce(now);
}

StorageClient& StorageNode::client() { return state_->client; }
access::TokenBook& StorageNode::tokens() { return state_->tokens; }
access::Revoker& StorageNode::revoker() { return state_->revoker; }
access::AccessControl& StorageNode::access() { return state_->access; }
reticulum::Endpoint& StorageNode::endpoint() { return state_->endpoint; }
storage::Uploads& StorageNode::uploads() { return state_->uploads; }
Load StorageNode::load() const { return state_->server.load(); }
const NodeIdentities& StorageNode::identities() const { return state_->identities; }
reticulum::DestinationHash StorageNode::destination() const { return state_->destination; }
std::vector<PeerInfo> StorageNode::peers() const { return state_->peers.all(); }

}  // namespace meshstow::node
