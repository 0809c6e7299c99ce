#include "io/blocking_client.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "base/limits.hpp"
#include "io/node_host.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::io {
namespace {

namespace asio = boost::asio;

// What an operation gave: the head and the whole body of its answer.
struct Answered {
  protocol::StorageResponse response;
  Bytes body;
};
using Outcome = ClientResult<Answered>;

tl::unexpected<ClientFailure> failed(std::string message) {
  return tl::unexpected(ClientFailure{std::move(message), {}});
}

ClientFailure failure_of(const node::OperationFailed& how) {
  ClientFailure out{how.error.message.empty() ? how.why.detail : how.error.message, {}};
  if (how.answered || how.why.code == Errc::denied) out.error = how.error;
  return out;
}

std::string tag_of(const protocol::StorageResponse& response) {
  std::string tag = response.headers.etag.value_or("");
  const bool quoted = tag.size() >= 2 && tag.front() == '"' && tag.back() == '"';
  return quoted ? tag.substr(1, tag.size() - 2) : tag;
}

}  // namespace

struct BlockingClient::State {
  explicit State(Home opened) : home(std::move(opened)) {}
  ~State();

  // Runs `call` on the loop and waits for what it promises.
  template <class Value, class Call>
  Value wait(Call call) {
    std::promise<Value> promise;
    auto future = promise.get_future();
    asio::post(loop, [&] { call(promise); });
    return future.get();
  }

  ClientResult<void> join(const MeshOptions& mesh);
  Outcome ask(node::ClientRequest request, ByteView body);

  Home home;
  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(loop);
  std::unique_ptr<NodeHost> host;
  std::thread thread;
};

BlockingClient::State::~State() {
  if (!thread.joinable()) return;
  wait<bool>([this](std::promise<bool>& promise) {
    if (!host) return promise.set_value(true);
    host->close([&promise] { promise.set_value(true); });
  });
  asio::post(loop, [this] {
    host.reset();
    loop.stop();
  });
  thread.join();
}

ClientResult<void> BlockingClient::State::join(const MeshOptions& mesh) {
  thread = std::thread([this] { loop.run(); });
  using Joined = tl::expected<void, std::string>;
  const auto joined = wait<Joined>([&](std::promise<Joined>& promise) {
    auto opened = NodeHost::open(loop, home);
    if (!opened) return promise.set_value(tl::unexpected(opened.error()));
    host = std::move(*opened);
    host->join(mesh, [&promise](Joined how) { promise.set_value(std::move(how)); });
  });
  if (!joined) return failed(joined.error());
  return {};
}

Outcome BlockingClient::State::ask(node::ClientRequest request, ByteView body) {
  request.body_size = body.size();
  Answered answered;
  return wait<Outcome>([&](std::promise<Outcome>& promise) {
    OperationHooks hooks;
    hooks.body_wanted = [body](std::uint64_t offset, std::size_t size,
                               const std::function<void(ByteView)>& supply) {
      const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(offset, body.size()));
      supply(body.subspan(from, std::min(size, body.size() - from)));
    };
    hooks.answer = [&](const protocol::StorageResponse& response) { answered.response = response; };
    hooks.body = [&](ByteView piece) { base::append(answered.body, piece); };
    hooks.done = [&](tl::expected<void, node::OperationFailed> how) {
      promise.set_value(how ? Outcome(std::move(answered))
                            : tl::unexpected(failure_of(how.error())));
    };
    host->start(std::move(request), std::move(hooks));
  });
}

namespace {

ClientResult<node::ClientRequest> request_of(const reticulum::DestinationHash& node,
                                             protocol::Operation operation, std::string_view path,
                                             std::string_view token) {
  auto parsed = StoragePath::parse(path);
  if (!parsed) return failed(parsed.error().detail);
  node::ClientRequest out;
  out.node = node;
  out.operation = operation;
  out.path = std::move(*parsed);
  out.token = token;
  return out;
}

}  // namespace

ClientResult<std::unique_ptr<BlockingClient>> BlockingClient::open(
    const std::filesystem::path& directory, const MeshOptions& mesh) {
  auto home = Home::open(directory);
  if (!home) return failed(home.error());
  if (auto locked = home->lock(); !locked) return failed(locked.error());
  auto state = std::make_unique<State>(std::move(*home));
  if (auto joined = state->join(mesh); !joined) return tl::unexpected(joined.error());
  return std::unique_ptr<BlockingClient>(new BlockingClient(std::move(state)));
}

BlockingClient::BlockingClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlockingClient::~BlockingClient() = default;

ClientResult<std::string> BlockingClient::put(const reticulum::DestinationHash& node,
                                              std::string_view path, ByteView body,
                                              const PutOptions& options) {
  auto request = request_of(node, protocol::Operation::put, path, options.token);
  if (!request) return tl::unexpected(request.error());
  request->content_type = options.content_type;
  request->if_match = options.if_match;
  request->if_none_match = options.if_none_match;
  const auto outcome = state_->ask(std::move(*request), body);
  if (!outcome) return tl::unexpected(outcome.error());
  return tag_of(outcome->response);
}

ClientResult<ReceivedDocument> BlockingClient::get(const reticulum::DestinationHash& node,
                                                   std::string_view path, std::string_view token) {
  auto request = request_of(node, protocol::Operation::get, path, token);
  if (!request) return tl::unexpected(request.error());
  auto outcome = state_->ask(std::move(*request), {});
  if (!outcome) return tl::unexpected(outcome.error());
  return ReceivedDocument{std::move(outcome->body),
                          outcome->response.headers.content_type.value_or(""),
                          tag_of(outcome->response)};
}

ClientResult<std::string> BlockingClient::remove(const reticulum::DestinationHash& node,
                                                 std::string_view path, std::string_view token) {
  auto request = request_of(node, protocol::Operation::remove, path, token);
  if (!request) return tl::unexpected(request.error());
  const auto outcome = state_->ask(std::move(*request), {});
  if (!outcome) return tl::unexpected(outcome.error());
  return tag_of(outcome->response);
}

ClientResult<std::vector<storage::FolderItem>> BlockingClient::list(
    const reticulum::DestinationHash& node, std::string_view folder, std::string_view token) {
  if (!folder.ends_with('/')) return failed("the path of a folder ends in /");
  const auto listing = get(node, folder, token);
  if (!listing) return tl::unexpected(listing.error());
  auto items = protocol::read_folder_description(base::as_text(listing->body));
  if (!items) return failed(items.error().detail);
  return std::move(*items);
}

ClientResult<std::string> BlockingClient::get_token(std::string_view scope) {
  const auto token =
      state_->wait<Result<std::string>>([&](std::promise<Result<std::string>>& promise) {
        NodeHost& host = *state_->host;
        promise.set_value(host.node().client().get_token(host.now(), scope));
        host.wake();
      });
  if (!token) return failed(token.error().detail);
  return *token;
}

void BlockingClient::add_token(std::string_view token) {
  state_->wait<bool>([&](std::promise<bool>& promise) {
    state_->host->node().client().add_token(std::string(token));
    promise.set_value(true);
  });
}

}  // namespace meshstow::io
