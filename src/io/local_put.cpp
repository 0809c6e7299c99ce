#include "base/limits.hpp"
#include "io/command_work.hpp"

namespace meshstow::io {
namespace {

// So much of a body may wait for the disk before more of it is read.
constexpr std::size_t kUnstored = 2 * limits::kControlBuffered;

// A small body is one operation; a larger one goes to the store piece by piece as it comes.
class LocalPut final : public CommandWork {
 public:
  using CommandWork::CommandWork;

  void begin() override {
    auto path = read_path(command_.path);
    if (!path) return;
    auto conditions = read_conditions();
    if (!conditions) return;
    if (path->is_folder()) {
      return fail(protocol::StoreCode::invalid_data, 400,
                  "the path of a document has no / at its end");
    }
    if (command_.content_type.empty()) command_.content_type = "application/octet-stream";
    path_ = std::move(path);
    conditions_ = std::move(*conditions);
    read_on();
  }

 private:
  void release() override {
    if (upload_) host_.store(storage::AbortUpload{*upload_}, [](const auto&) {});
    upload_.reset();
  }

  void read_on() {
    if (over() || reading_ || unstored_ > kUnstored) return;
    reading_ = true;
    channel_.read_body([work = self(this)](CommandChannel::Piece piece) {
      if (work->over()) return;
      work->reading_ = false;
      work->take(std::move(piece));
    });
  }

  void take(CommandChannel::Piece piece) {
    if (!piece) return fail(piece.error());
    if (piece->empty()) return commit();
    base::append(pending_, *piece);
    if (!upload_ && pending_.size() > limits::kInlineDocument) begin_upload();
    if (upload_ && pending_.size() >= limits::kBodyPiece) store_pending();
    read_on();
  }

  void begin_upload() {
    upload_ = host_.new_upload();
    host_.store(storage::BeginUpload{*upload_, *path_, command_.size},
                [work = self(this)](storage::Outcome<storage::Answer> outcome) {
                  if (!work->over() && !outcome) work->CommandWork::fail(outcome.error());
                });
  }

  void store_pending() {
    const std::size_t size = pending_.size();
    unstored_ += size;
    host_.store(storage::AppendUpload{*upload_, std::exchange(pending_, {})},
                [work = self(this), size](storage::Outcome<storage::Answer> outcome) {
                  if (work->over()) return;
                  work->unstored_ -= size;
                  if (!outcome) return work->CommandWork::fail(outcome.error());
                  if (!work->committing_) work->read_on();
                });
  }

  void commit() {
    committing_ = true;
    storage::PutDocument put{*path_, command_.content_type, std::move(conditions_), Bytes()};
    if (upload_) {
      if (!pending_.empty()) store_pending();
      put.body = *upload_;
    } else {
      put.body = std::move(pending_);
    }
    host_.store(std::move(put), [work = self(this)](storage::Outcome<storage::Answer> outcome) {
      if (work->over()) return;
      if (!outcome) return work->CommandWork::fail(outcome.error());
      const auto& result = answer_as<storage::WriteResult>(outcome);
      work->upload_.reset();
      work->finish({{"path", work->command_.path},
                    {"etag", result.etag.text()},
                    {"version", storage::to_text(result.version)},
                    {"created", result.created}});
    });
  }

  std::optional<StoragePath> path_;
  storage::Conditions conditions_;
  Bytes pending_;
  std::optional<storage::UploadId> upload_;
  std::size_t unstored_ = 0;
  bool reading_ = false;
  bool committing_ = false;
};

}  // namespace

std::shared_ptr<CommandWork> make_local_put(NodeHost& host, Command command,
                                            CommandChannel channel) {
  return std::make_shared<LocalPut>(host, std::move(command), std::move(channel));
}

}  // namespace meshstow::io
