// io/command_work.hpp: what all commands share: their end, their errors, their JSON. Internal to
// io.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>

#include "io/commands.hpp"

namespace meshstow::io {

// One command under way. Callbacks hold it by shared_ptr and ask over() first.
class CommandWork : public std::enable_shared_from_this<CommandWork> {
 public:
  CommandWork(NodeHost& host, Command command, CommandChannel channel)
      : host_(host), command_(std::move(command)), channel_(std::move(channel)) {}
  virtual ~CommandWork() = default;

  virtual void begin() = 0;
  void cancel();

 protected:
  // Gives back what the command holds in store or node; called once, at the end however it comes.
  virtual void release() {}

  [[nodiscard]] bool over() const { return over_; }
  // How far it is, for whoever gave the command and for the dashboard.
  struct Progress {
    std::string_view stage;  // a word of the command's JSON
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // 0: not known
    bool counted = false;     // things, not bytes
  };
  void tell_progress(std::string title, const Progress& progress);
  void finish(const boost::json::object& result);
  void fail(std::string_view message);  // of no STORE code
  void fail(protocol::StoreCode code, int status, std::string_view message);
  void fail(const storage::Failure& failure);
  void fail(const node::OperationFailed& failure);
  // Of something that the command itself says: a path, a tag, a scope.
  void fail_invalid(const Error& error);

  // Asks the store. `then` gets the answer of the kind that the operation has; it is not called
  // when the command is over by then, or ends with the store's refusal.
  template <class Kind, class Then>
  void ask(storage::Operation operation, Then then) {
    ask_store(std::move(operation),
              [then = std::move(then)](storage::Answer& answer) { then(std::get<Kind>(answer)); });
  }

  // Both end the command where they give nothing.
  [[nodiscard]] std::optional<StoragePath> read_path(std::string_view text);
  [[nodiscard]] std::optional<storage::Conditions> read_conditions();

  NodeHost& host_;
  Command command_;
  CommandChannel channel_;

 private:
  void ask_store(storage::Operation operation, std::function<void(storage::Answer&)> then);
  void end(CommandOutcome outcome);
  void let_go();
  bool over_ = false;
  std::uint64_t work_ = 0;  // its id in the dashboard, once it is shown there
};

// `shared_from_this` as what it is.
template <class Work>
std::shared_ptr<Work> self(Work* work) {
  return std::static_pointer_cast<Work>(work->shared_from_this());
}

template <class Work>
std::shared_ptr<CommandWork> make_work(NodeHost& host, Command& command, CommandChannel& channel) {
  return std::make_shared<Work>(host, std::move(command), std::move(channel));
}

// The answer of the kind that the operation has; every store gives it, so nothing else is looked
// for.
template <class Kind>
Kind& answer_as(storage::Outcome<storage::Answer>& outcome) {
  return std::get<Kind>(*outcome);
}

std::string json_time(WallTime wall);
boost::json::object item_json(const storage::FolderItem& item);
boost::json::object document_json(const std::string& path, const storage::DocumentInfo& info);

std::shared_ptr<CommandWork> make_local_command(NodeHost& host, Command command,
                                                CommandChannel channel);
std::shared_ptr<CommandWork> make_local_put(NodeHost& host, Command command,
                                            CommandChannel channel);
std::shared_ptr<CommandWork> make_remote_command(NodeHost& host, Command command,
                                                 CommandChannel channel);
std::shared_ptr<CommandWork> make_node_command(NodeHost& host, Command command,
                                               CommandChannel channel);

}  // namespace meshstow::io
