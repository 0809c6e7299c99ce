#include "io/http_commands.hpp"

#include "crypto/hash.hpp"
#include "http/sessions.hpp"
#include "io/care_jobs.hpp"
#include "io/http_server.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

// Writes records one after another, then goes on; a refusal ends the command.
class RecordCommand : public CommandWork {
 public:
  using CommandWork::CommandWork;

 protected:
  void write(std::vector<storage::Operation> writes, std::function<void()> then) {
    auto left = std::make_shared<std::size_t>(writes.size());
    if (writes.empty()) return then();
    for (storage::Operation& each : writes) {
      ask<storage::Done>(std::move(each), [left, then](const storage::Done&) {
        if (--*left == 0) then();
      });
    }
  }
};

class Open final : public CommandWork {
 public:
  using CommandWork::CommandWork;
  void begin() override {
    HttpServer* server = host_.http_server();
    if (server == nullptr) return fail("no HTTP server runs here: start `meshstow serve`");
    finish({{"url", server->sign_in_link()}});
  }
};

class Passphrase final : public RecordCommand {
 public:
  using RecordCommand::RecordCommand;
  void begin() override {
    const Bytes key = base::to_bytes(base::as_bytes(http::kPassphraseRecordKey));
    if (command_.passphrase.empty()) return store(storage::RemoveRecord{key}, std::nullopt);
    http::PassphraseVerifier verifier;
    verifier.salt.resize(16);
    host_.rng().fill(verifier.salt);
    const auto hash = crypto::scrypt(command_.passphrase, verifier.salt);
    if (!hash) return CommandWork::fail("the passphrase cannot be hashed");
    verifier.hash = Hash32::prefix_of(hash->view());
    store(storage::PutRecord{key, verifier.encode()}, verifier);
  }

 private:
  void store(storage::Operation operation, std::optional<http::PassphraseVerifier> verifier) {
    write({std::move(operation)}, [this, verifier = std::move(verifier)] {
      if (HttpServer* server = host_.http_server()) server->service().set_passphrase(verifier);
      finish({{"set", verifier.has_value()}});
    });
  }
};

// What the apps commands share: the manifests, of the store.
class AppsCommand : public RecordCommand {
 public:
  using RecordCommand::RecordCommand;
  void begin() override {
    ask<storage::RecordList>(
        storage::ListRecords{base::to_bytes(base::as_bytes(http::kAppRecordPrefix))},
        [this](const storage::RecordList& list) {
          for (const auto& [key, value] : list.records) {
            if (auto app = http::decode_manifest(key, value)) apps_.push_back(std::move(*app));
          }
          listed();
        });
  }

 protected:
  virtual void listed() = 0;
  [[nodiscard]] json::object describe(const http::AppManifest& app) const {
    json::object out{{"name", app.name},
                     {"title", app.title},
                     {"files", app.files.size()},
                     {"bytes", app.bytes()}};
    if (const HttpServer* server = host_.http_server())
      out["url"] = server->origin() + "/apps/" + app.name + "/";
    return out;
  }
  [[nodiscard]] const http::AppManifest* find(std::string_view name) const {
    for (const http::AppManifest& app : apps_) {
      if (app.name == name) return &app;
    }
    return nullptr;
  }
  std::vector<http::AppManifest> apps_;
};

class AppsList final : public AppsCommand {
 public:
  using AppsCommand::AppsCommand;

 private:
  void listed() override {
    json::array list;
    for (const http::AppManifest& app : apps_) list.push_back(describe(app));
    finish({{"apps", std::move(list)}});
  }
};

class AppsAdd final : public AppsCommand {
 public:
  using AppsCommand::AppsCommand;

 private:
  void listed() override {
    reading_ = host_.care().read_app(command_.path,
                                     [this](tl::expected<CareJobs::AppFiles, std::string> files) {
                                       if (!files) return CommandWork::fail(files.error());
                                       add(std::move(*files));
                                     });
  }
  void release() override { reading_.reset(); }

  void add(CareJobs::AppFiles files) {
    const std::string name = command_.app.empty() ? app_name_of(command_.path) : command_.app;
    auto bundle = http::bundle_app(name, std::move(files), host_.now(), host_.rng().bytes<8>());
    if (!bundle) return CommandWork::fail(bundle.error().detail);
    std::vector<storage::Operation> writes;
    for (access::StoredRecord& record : bundle->records) {
      writes.push_back(storage::PutRecord{std::move(record.key), std::move(record.value)});
    }
    // The files of the version before; its manifest is replaced.
    if (const http::AppManifest* old = find(name)) {
      for (Bytes& key : http::app_record_keys(*old)) {
        if (key != http::app_record_key(name))
          writes.push_back(storage::RemoveRecord{std::move(key)});
      }
    }
    write(std::move(writes), [this, app = std::move(bundle->manifest)] {
      if (HttpServer* server = host_.http_server()) server->service().set_app(app);
      finish(describe(app));
    });
  }

  std::unique_ptr<CareJob> reading_;
};

class AppsRemove final : public AppsCommand {
 public:
  using AppsCommand::AppsCommand;

 private:
  void listed() override {
    const http::AppManifest* app = find(command_.app);
    if (app == nullptr) return CommandWork::fail("there is no app of that name");
    std::vector<storage::Operation> writes;
    for (Bytes& key : http::app_record_keys(*app))
      writes.push_back(storage::RemoveRecord{std::move(key)});
    write(std::move(writes), [this] {
      if (HttpServer* server = host_.http_server()) server->service().remove_app(command_.app);
      finish({{"name", command_.app}});
    });
  }
};

}  // namespace

std::shared_ptr<CommandWork> make_http_command(NodeHost& host, Command& command,
                                               CommandChannel& channel) {
  if (command.verb == "open") return make_work<Open>(host, command, channel);
  if (command.verb == "passphrase") return make_work<Passphrase>(host, command, channel);
  if (command.verb == "apps list") return make_work<AppsList>(host, command, channel);
  if (command.verb == "apps add") return make_work<AppsAdd>(host, command, channel);
  if (command.verb == "apps remove") return make_work<AppsRemove>(host, command, channel);
  return nullptr;
}

}  // namespace meshstow::io
