// io/blocking_client.hpp: a StorageClient for plain programs: calls that wait for their answer.
//
// Runs a node of its own on a thread of its own, with the identities of a home (`meshstow init`).
// Threading: any thread; calls wait for each other's turn only on the loop.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/mesh_options.hpp"
#include "protocol/messages.hpp"
#include "reticulum/identity.hpp"
#include "storage/types.hpp"

namespace meshstow::io {

struct ClientFailure {
  std::string message;                          // for people
  std::optional<protocol::StorageError> error;  // where the store or the node said so
};
template <class T>
using ClientResult = tl::expected<T, ClientFailure>;

struct ReceivedDocument {
  Bytes body;
  std::string content_type;
  std::string etag;
};
struct PutOptions {
  std::string content_type = "application/octet-stream";
  std::string if_match, if_none_match;
  std::string token;
};

class BlockingClient {
 public:
  // The home must not be in use by another process.
  [[nodiscard]] static ClientResult<std::unique_ptr<BlockingClient>> open(
      const std::filesystem::path& home, const MeshOptions& mesh);
  ~BlockingClient();

  // Each gives the tag; `token` empty: one that we hold, if one covers the path.
  [[nodiscard]] ClientResult<std::string> put(const reticulum::DestinationHash& node,
                                              std::string_view path, ByteView body,
                                              const PutOptions& options = {});
  [[nodiscard]] ClientResult<ReceivedDocument> get(const reticulum::DestinationHash& node,
                                                   std::string_view path,
                                                   std::string_view token = {});
  [[nodiscard]] ClientResult<std::string> remove(const reticulum::DestinationHash& node,
                                                 std::string_view path,
                                                 std::string_view token = {});
  [[nodiscard]] ClientResult<std::vector<storage::FolderItem>> list(
      const reticulum::DestinationHash& node, std::string_view folder, std::string_view token = {});
  // "storage:write:/shared/maps/": see node::StorageClient.
  [[nodiscard]] ClientResult<std::string> get_token(std::string_view scope);
  void add_token(std::string_view token);

 private:
  struct State;
  explicit BlockingClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace meshstow::io
