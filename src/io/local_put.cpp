#include "io/command_work.hpp"
#include "storage/body_upload.hpp"

namespace meshstow::io {
namespace {

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
    conditions_ = std::move(*conditions);
    upload_.emplace(host_.node().uploads(), base::Holder::owner(), host_.new_upload(),
                    std::move(*path), command_.size);
    read_on();
  }

 private:
  void release() override {
    if (!upload_) return;
    upload_->abort();
    drain();
  }

  void read_on() {
    if (over() || reading_ || !upload_->wants_more()) return;
    reading_ = true;
    channel_.read_body([work = self(this)](CommandChannel::Piece piece) {
      if (work->over()) return;
      work->reading_ = false;
      work->take(std::move(piece));
    });
  }

  void take(CommandChannel::Piece piece) {
    if (!piece) return fail(piece.error());
    if (piece->empty()) {
      upload_->end();
    } else {
      upload_->take(*piece);
    }
    go_on();
  }

  void go_on() {
    drain();
    if (over()) return;
    if (upload_->refused()) return CommandWork::fail(*upload_->refused());
    if (const auto& written = upload_->written()) return tell(*written);
    if (!upload_->is_whole()) return read_on();
    if (std::exchange(committed_, true)) return;
    upload_->commit(command_.content_type, std::move(conditions_));
    drain();
  }

  // What the body asks of the store, to the last, even when the command is over.
  void drain() {
    while (auto asked = upload_->next()) {
      host_.store(std::move(asked->operation),
                  [work = self(this),
                   step = asked->step](const storage::Outcome<storage::Answer>& outcome) {
                    work->upload_->answered(step, outcome);
                    work->go_on();
                  });
    }
  }

  void tell(const storage::WriteResult& result) {
    finish({{"path", command_.path},
            {"etag", result.etag.text()},
            {"version", storage::to_text(result.version)},
            {"created", result.created}});
  }

  storage::Conditions conditions_;
  std::optional<storage::BodyUpload> upload_;
  bool reading_ = false;
  bool committed_ = false;
};

}  // namespace

std::shared_ptr<CommandWork> make_local_put(NodeHost& host, Command command,
                                            CommandChannel channel) {
  return std::make_shared<LocalPut>(host, std::move(command), std::move(channel));
}

}  // namespace meshstow::io
