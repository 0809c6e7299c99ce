// http/service.hpp: the remoteStorage server of one space, sans-IO: a request comes in, an Exchange
// that answers it comes out. docs/HTTP.md lists what is served where.
//
// Owner: io::HttpServer. Threading: one thread. Time: `now` comes in; call handle_deadline() every
// kTickEvery or so. Source: remotestorage-http.md; draft-dejong-remotestorage-26.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/token_book.hpp"
#include "base/rng.hpp"
#include "http/apps.hpp"
#include "http/exchange.hpp"
#include "http/origin.hpp"
#include "http/sessions.hpp"
#include "storage/body_upload.hpp"

namespace meshstow::http {

inline constexpr std::chrono::seconds kTickEvery{1};
inline constexpr std::chrono::minutes kUsesEvery{10};
// Records of the store that the service wants at start, each through load_record().
inline constexpr std::string_view kStartRecordPrefixes[] = {kSessionRecordPrefix,
                                                            kPassphraseRecordKey, kAppRecordPrefix};

struct PeerStatus {
  std::string destination;  // hex
  unsigned hops = 0;
  WallTime heard{};
  std::optional<std::uint64_t> space_available;
};
struct BoundStatus {
  base::Bound bound;
  base::BoundCounts counts;
};
// What the dashboard shows of the node.
struct NodeStatus {
  std::string name, owner, device, destination;  // hex, but for the name
  std::string version;
  std::uint64_t disk_free = 0;  // bytes; what is left where there is no quota
  std::vector<PeerStatus> peers;
  std::vector<BoundStatus> bounds;  // so that its owner sees an attack
};

// Work that takes long enough to show: a transfer over the mesh, a large upload, a check.
struct WorkProgress {
  std::string title;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  bool counted = false;     // things, not bytes
};

struct ServiceConfig {
  std::string account = "me";
  std::vector<Endpoint> endpoints;             // as the adapter listens, then the public one
  std::optional<std::size_t> public_endpoint;  // what browsers see through a proxy, in `endpoints`
  std::function<NodeStatus()> status;          // for the dashboard; may be empty
};

class Service {
 public:
  // All outlive the service.
  Service(ServiceConfig config, access::TokenBook& tokens, access::AccessControl& control,
          storage::Uploads& uploads, base::Rng& rng);
  ~Service();

  void load_record(Now now, ByteView key, ByteView value);

  // `request` is borrowed for the call. The exchange must not outlive the service.
  [[nodiscard]] std::unique_ptr<Exchange> begin(Now now, const Request& request);

  // For requests that the adapter refuses itself (broken framing, time-out): CORS headers and a
  // text.
  [[nodiscard]] static Reply refusal(int status, std::string_view message);
  // "Sun, 06 Nov 1994 08:49:37 GMT"; made once a second.
  [[nodiscard]] const std::string& http_date(Now now);

  // A URL that signs its first visitor in, in the origin of the consent page. What is behind its
  // "#" is secret, and no server or proxy is ever sent it.
  [[nodiscard]] std::string sign_in_link(Now now, std::size_t listener = 0);
  // "me@localhost:8181"
  [[nodiscard]] std::string address(std::size_t listener = 0) const;

  void set_passphrase(std::optional<PassphraseVerifier> verifier);  // of what was stored
  void set_app(AppManifest manifest);
  void remove_app(const std::string& name);
  [[nodiscard]] std::vector<AppManifest> apps() const;

  // What others hold of it, for whoever looks for an attack.
  [[nodiscard]] std::vector<const base::Shares*> bounds() const;

  // A durable change, whoever made it: goes to live streams.
  void document_changed(Now now, const StoragePath& path, const storage::ETag& etag, bool deleted);
  // What the dashboard shows as going on, and no more once it is told nullopt. Ids are the
  // caller's; our own uploads have even ones, so his are odd.
  void report(std::uint64_t id, std::optional<WorkProgress> progress);
  void handle_deadline(Now now);
  // Store these: when tokens were last used, about every kUsesEvery, and at the end if `all`.
  [[nodiscard]] std::vector<access::StoredRecord> records_to_store(Now now, bool all = false);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::http
