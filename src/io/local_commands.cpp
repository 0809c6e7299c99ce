#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "codec/utf8.hpp"
#include "io/command_work.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;
using storage::Outcome;
using StoreAnswer = Outcome<storage::Answer>;

constexpr std::size_t kPage = 1000;  // items

// get and stat of a document: its description, and for get its body, piece by piece as it is taken.
class LocalRead final : public CommandWork {
 public:
  using CommandWork::CommandWork;

  void begin() override {
    path_ = read_path(command_.path);
    if (!path_) return;
    auto conditions = read_conditions();
    if (!conditions) return;
    conditions_ = std::move(*conditions);
    if (command_.version.empty()) return open({});
    ask<storage::VersionId>(storage::FindVersion{*path_, command_.version},
                            [this](const storage::VersionId& version) { open(version); });
  }

 private:
  void release() override {
    if (handle_ != 0) host_.store(storage::CloseDocument{handle_}, [](const auto&) {});
    handle_ = 0;
  }

  void open(std::optional<storage::VersionId> version) {
    const bool body = command_.verb == "get";
    storage::OpenDocument request{*path_, version, std::move(conditions_), 0,
                                  body ? limits::kBodyPiece : 0};
    host_.store(std::move(request), [work = self(this)](StoreAnswer outcome) {
      if (outcome) work->handle_ = answer_as<storage::OpenedDocument>(outcome).handle;
      if (work->over()) return work->release();
      if (!outcome) return work->fail_open(outcome.error());
      work->opened(answer_as<storage::OpenedDocument>(outcome));
    });
  }

  void fail_open(const storage::Failure& failure) {
    if (failure.refusal != storage::Refusal::not_modified) return CommandWork::fail(failure);
    finish({{"path", command_.path},
            {"etag", failure.current ? failure.current->text() : std::string()},
            {"not_modified", true}});
  }

  void opened(storage::OpenedDocument& document) {
    head_ = document_json(command_.path, document.info);
    if (command_.verb == "stat") return finish(std::move(head_));
    size_ = document.info.size;
    channel_.head(codec::with_valid_utf8(json::serialize(head_)));
    give(std::move(document.first));
  }

  void give(Bytes piece) {
    given_ += piece.size();
    if (piece.empty()) return given_ >= size_ ? finish(std::move(head_)) : fail_short();
    channel_.write_body(std::move(piece), [work = self(this)] {
      if (!work->over()) work->read_on();
    });
  }

  void read_on() {
    if (given_ >= size_) return finish(std::move(head_));
    if (handle_ == 0) return fail_short();
    ask<storage::ReadPiece>(storage::ReadDocument{handle_, given_, limits::kBodyPiece},
                            [this](storage::ReadPiece& piece) { give(std::move(piece.bytes)); });
  }

  void fail_short() {
    CommandWork::fail(storage::Failure{storage::Refusal::corrupt, "the document ends early", {}});
  }

  std::optional<StoragePath> path_;
  storage::Conditions conditions_;
  json::object head_;
  storage::ReadHandle handle_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t given_ = 0;
};

// ls, and get and stat of a folder.
class LocalList final : public CommandWork {
 public:
  using CommandWork::CommandWork;

  void begin() override {
    const bool add_slash = command_.verb == "ls" && !command_.path.ends_with('/');
    path_ = read_path(add_slash ? command_.path + '/' : command_.path);
    if (!path_) return;
    auto after = codec::from_hex(command_.after);
    if (!after) return fail_invalid(after.error());
    read_page(std::move(*after));
  }

 private:
  void read_page(Bytes after) {
    std::size_t count = kPage;
    if (command_.verb == "stat") count = 1;
    if (command_.limit > 0) count = std::min(count, command_.limit - items_.size());
    ask<storage::FolderPage>(storage::ListFolder{*path_, std::move(after), count},
                             [this](storage::FolderPage& page) { take(page); });
  }

  void take(storage::FolderPage& page) {
    if (etag_.empty()) {
      etag_ = page.etag.text();
      if (command_.verb == "get") channel_.head(json::serialize(folder_head()));
    }
    if (command_.verb == "stat")
      return finish({{"path", path_->text()}, {"etag", etag_}, {"folder", true}});
    if (command_.verb == "get") return give(page);
    if (page.items.empty() && items_.empty() && may_mean_document()) return look_for_document();
    for (const auto& item : page.items) items_.push_back(item_json(item));
    const bool enough = command_.limit > 0 && items_.size() >= command_.limit;
    if (!page.next.empty() && !enough) return read_page(std::move(page.next));
    finish_list(page.next);
  }

  void finish_list(ByteView next) {
    json::object out{{"path", path_->text()}, {"etag", etag_}, {"items", std::move(items_)}};
    if (!next.empty()) out["next"] = codec::to_hex(next);
    finish(std::move(out));
  }

  [[nodiscard]] bool may_mean_document() const {
    return !command_.path.ends_with('/') && command_.after.empty();
  }

  // There is no such folder; as elsewhere, the name may be that of a document, which then is all
  // that there is to list.
  void look_for_document() {
    auto document = StoragePath::parse(command_.path);
    if (!document) return finish_list({});
    host_.store(storage::OpenDocument{*document, {}, {}, 0, 0},
                [work = self(this), document = *document](const StoreAnswer& outcome) {
                  if (!work->over()) work->found_document(document, outcome);
                });
  }

  void found_document(const StoragePath& document, const StoreAnswer& outcome) {
    if (!outcome && outcome.error().refusal == storage::Refusal::not_found) return finish_list({});
    if (!outcome) return CommandWork::fail(outcome.error());
    const auto& info = std::get<storage::OpenedDocument>(*outcome).info;
    path_ = document;
    etag_ = info.etag.text();
    items_.push_back(item_json({std::string(document.name()), false, info.etag, info.content_type,
                                info.size, info.modified}));
    finish_list({});
  }

  json::object folder_head() const {
    return {
        {"path", path_->text()}, {"etag", etag_}, {"content_type", protocol::kFolderContentType}};
  }

  void give(storage::FolderPage& page) {
    std::string text = begun_ ? std::string() : description_.begin();
    begun_ = true;
    text += description_.items(page.items, host_.now().wall);
    const bool last = page.next.empty();
    if (last) text += description_.end();
    channel_.write_body(base::to_bytes(base::as_bytes(text)),
                        [work = self(this), last, next = std::move(page.next)] {
                          if (work->over()) return;
                          if (last) return work->finish(work->folder_head());
                          work->read_page(next);
                        });
  }

  std::optional<StoragePath> path_;
  std::string etag_;
  json::array items_;
  protocol::FolderDescriptionWriter description_;
  bool begun_ = false;
};

class LocalRemove final : public CommandWork {
 public:
  using CommandWork::CommandWork;

  void begin() override {
    auto path = read_path(command_.path);
    if (!path) return;
    auto conditions = read_conditions();
    if (!conditions) return;
    ask<storage::WriteResult>(storage::RemoveDocument{std::move(*path), std::move(*conditions)},
                              [this](const storage::WriteResult& result) {
                                finish({{"path", command_.path}, {"etag", result.etag.text()}});
                              });
  }
};

}  // namespace

std::shared_ptr<CommandWork> make_local_command(NodeHost& host, Command command,
                                                CommandChannel channel) {
  if (command.verb == "rm") {
    return std::make_shared<LocalRemove>(host, std::move(command), std::move(channel));
  }
  if (command.verb == "ls" || command.path.ends_with('/')) {
    return std::make_shared<LocalList>(host, std::move(command), std::move(channel));
  }
  return std::make_shared<LocalRead>(host, std::move(command), std::move(channel));
}

}  // namespace meshstow::io
