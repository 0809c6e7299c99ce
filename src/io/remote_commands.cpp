#include "base/limits.hpp"
#include "codec/utf8.hpp"
#include "io/body_spool.hpp"
#include "io/command_work.hpp"
#include "io/network_report.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

constexpr Duration kInterfacePatience = std::chrono::seconds(10);

std::string_view stage_name(node::ClientStage stage) {
  switch (stage) {
    case node::ClientStage::finding_path: return "finding_path";
    case node::ClientStage::linking: return "linking";
    case node::ClientStage::asking: return "asking";
    case node::ClientStage::sending: return "sending";
    case node::ClientStage::receiving: return "receiving";
  }
  return "asking";
}

std::string without_quotes(const std::string& tag) {
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') {
    return tag.substr(1, tag.size() - 2);
  }
  return tag;
}

// Conditions as a message carries them: on the command line a tag may stand without quotes. Where
// nothing can match, neither does the empty tag, which is nobody's.
std::string header_text(const std::optional<storage::EtagList>& list) {
  if (!list) return {};
  if (list->any) return "*";
  if (list->items.empty()) return "\"\"";
  std::string out;
  for (const storage::EtagList::Item& item : list->items) {
    out += (out.empty() ? "" : ", ") + std::string(item.weak ? "W/" : "") + '"' + item.tag + '"';
  }
  return out;
}

// A document of another node: finds the node, waits for an interface, asks, and follows the answer.
class RemoteWork : public CommandWork {
 public:
  using CommandWork::CommandWork;

  void begin() override {
    const bool add_slash = command_.verb == "ls" && !command_.path.ends_with('/');
    auto path = read_path(add_slash ? command_.path + '/' : command_.path);
    if (!path) return;
    const auto conditions = read_conditions();
    if (!conditions) return;
    if (!command_.version.empty()) return fail("a version can only be asked of the own store");
    const auto found = find_node(host_, command_.at);
    if (!found) return CommandWork::fail(found.error());
    request_.node = *found;
    request_.path = std::move(*path);
    request_.token = command_.token;
    request_.if_match = header_text(conditions->if_match);
    request_.if_none_match = header_text(conditions->if_none_match);
    wait_for_interface();
  }

 protected:
  // Then the question; `-w` bounds both together.
  virtual void prepare() { ask(protocol::Operation::get); }
  virtual void add_hooks(OperationHooks& /*hooks*/) {}
  virtual void done() = 0;

  void ask(protocol::Operation operation) {
    request_.operation = operation;
    OperationHooks hooks;
    hooks.answer = [work = self(this)](const protocol::StorageResponse& response) {
      if (work->over()) return;
      work->response_ = response;
    };
    hooks.progress = [work = self(this)](const node::OperationProgress& progress) {
      if (work->over()) return;
      work->tell({stage_name(progress.stage), progress.done, progress.total});
    };
    hooks.done = [work = self(this)](tl::expected<void, node::OperationFailed> how) {
      work->operation_.reset();
      if (work->over()) return;
      how ? work->done() : work->fail_asking(std::move(how.error()));
    };
    add_hooks(hooks);
    operation_ = host_.start(request_, std::move(hooks));
  }

  // False: the command has ended.
  bool keep(ByteView piece, BodySpool& spool) {
    const auto kept = spool.append(piece);
    if (kept) return true;
    if (spool.is_disk_full()) {
      fail(protocol::StoreCode::storage_full, 507, kept.error());
    } else {
      CommandWork::fail(kept.error());
    }
    return false;
  }

  [[nodiscard]] std::string etag() const {
    return without_quotes(response_.headers.etag.value_or(""));
  }

  [[nodiscard]] json::object head() const {
    json::object out{{"path", request_.path.text()}, {"etag", etag()}};
    if (response_.status == 304) out["not_modified"] = true;
    const auto& headers = response_.headers;
    if (headers.content_type) out["content_type"] = *headers.content_type;
    if (headers.content_length) {
      if (const auto size = parse_size(*headers.content_length)) out["size"] = *size;
    }
    return out;
  }

  node::ClientRequest request_;
  protocol::StorageResponse response_;

 private:
  void wait_for_interface() {
    tell({.stage = "connecting"});
    const TimePoint began = host_.now().mono;
    const auto connected = [work = self(this), began](bool is_up) {
      if (work->over()) return;
      if (!is_up) {
        return work->CommandWork::fail(
            without_a_way("no interface to the mesh is up", work->host_.network()));
      }
      work->request_.patience = work->command_.wait;
      work->request_.waited = work->host_.now().mono - began;
      work->prepare();
    };
    host_.when_connected(command_.wait.value_or(kInterfacePatience), connected);
  }

  void fail_asking(node::OperationFailed how) {
    const bool no_path = how.why.code == Errc::not_found;
    if (no_path && !how.answered) {
      how.error.message = without_a_way(how.error.message, host_.network());
    }
    CommandWork::fail(how);
  }

  void release() override {
    if (operation_) host_.cancel(*operation_);
    operation_.reset();
  }

  void tell(const Progress& progress) {
    tell_progress(command_.verb + " " + command_.path + " at " + command_.at, progress);
  }

  std::optional<node::OperationId> operation_;
};

// Nothing of an answer is handed on before all of it has arrived and is proved genuine.
class RemoteGet final : public RemoteWork {
 public:
  RemoteGet(NodeHost& host, Command command, CommandChannel channel)
      : RemoteWork(host, std::move(command), std::move(channel)),
        spool_(host_.home().directory(), host_.rng()) {}

 private:
  void add_hooks(OperationHooks& hooks) override {
    hooks.paced_body = [work = self(this)](const Bytes& piece, const std::function<void()>& taken) {
      if (work->over()) return;
      if (work->keep(piece, work->spool_)) taken();
    };
  }

  void done() override {
    if (response_.status == 304) return finish(head());
    channel_.head(codec::with_valid_utf8(json::serialize(head())));
    hand_on(0);
  }

  void hand_on(std::uint64_t offset) {
    if (offset == spool_.size()) return finish(head());
    auto piece = spool_.read(offset, limits::kInlineDocument);
    if (!piece) return CommandWork::fail(piece.error());
    const std::uint64_t next = offset + piece->size();
    channel_.write_body(std::move(*piece), [work = self(this), next] {
      if (!work->over()) work->hand_on(next);
    });
  }

  BodySpool spool_;
};

// Asks with a condition that never holds: a node of ours answers 304 and describes the document in
// one packet; one that sends it all the same is heard to the end, for only then is the answer
// proved genuine.
class RemoteStat final : public RemoteWork {
 public:
  using RemoteWork::RemoteWork;

 private:
  void prepare() override {
    request_.if_none_match = "*";
    RemoteWork::prepare();
  }
  void done() override {
    json::object out = head();
    out.erase("not_modified");
    if (request_.path.is_folder())
      out = {{"path", request_.path.text()}, {"etag", etag()}, {"folder", true}};
    finish(std::move(out));
  }
};

class RemoteList final : public RemoteWork {
 public:
  using RemoteWork::RemoteWork;

 private:
  void add_hooks(OperationHooks& hooks) override {
    hooks.body = [work = self(this)](ByteView piece) {
      if (work->over()) return;
      base::append(work->body_, piece);
      if (work->body_.size() > limits::kJsonMessage)
        work->CommandWork::fail("the folder is too large");
    };
  }

  void done() override {
    const auto items = protocol::read_folder_description(base::as_text(body_));
    if (!items) return CommandWork::fail(items.error().detail);
    json::array list;
    for (const auto& item : *items) list.push_back(item_json(item));
    finish({{"path", request_.path.text()}, {"etag", etag()}, {"items", std::move(list)}});
  }

  Bytes body_;
};

class RemoteRemove final : public RemoteWork {
 public:
  using RemoteWork::RemoteWork;

 private:
  void prepare() override { ask(protocol::Operation::remove); }
  void done() override { finish({{"path", request_.path.text()}, {"etag", etag()}}); }
};

// The message is signed before it is sent, so the body is read to its end first.
class RemotePut final : public RemoteWork {
 public:
  RemotePut(NodeHost& host, Command command, CommandChannel channel)
      : RemoteWork(host, std::move(command), std::move(channel)),
        spool_(host_.home().directory(), host_.rng()) {}

 private:
  void prepare() override {
    channel_.read_body([work = self(this)](CommandChannel::Piece piece) {
      if (work->over()) return;
      if (!piece) return work->CommandWork::fail(piece.error());
      if (piece->empty()) return work->send();
      if (work->keep(*piece, work->spool_)) work->prepare();
    });
  }

  void send() {
    request_.body_size = spool_.size();
    request_.content_type =
        command_.content_type.empty() ? "application/octet-stream" : command_.content_type;
    ask(protocol::Operation::put);
  }

  void add_hooks(OperationHooks& hooks) override {
    hooks.body_wanted = [work = self(this)](std::uint64_t offset, std::size_t size,
                                            const std::function<void(ByteView)>& supply) {
      if (work->over()) return;
      const auto piece = work->spool_.read(offset, size);
      if (!piece) return work->CommandWork::fail(piece.error());
      supply(*piece);
    };
  }

  void done() override { finish({{"path", request_.path.text()}, {"etag", etag()}}); }

  BodySpool spool_;
};

}  // namespace

std::shared_ptr<CommandWork> make_remote_command(NodeHost& host, Command command,
                                                 CommandChannel channel) {
  if (command.verb == "put") return make_work<RemotePut>(host, command, channel);
  if (command.verb == "rm") return make_work<RemoteRemove>(host, command, channel);
  if (command.verb == "ls") return make_work<RemoteList>(host, command, channel);
  if (command.verb == "stat") return make_work<RemoteStat>(host, command, channel);
  return make_work<RemoteGet>(host, command, channel);
}

}  // namespace meshstow::io
