// http/documents.hpp: GET, HEAD, PUT and DELETE of documents and GET of folders, as exchanges.
//
// Bodies stream both ways: a document of any size holds one or two pieces at a time. The authority
// is checked again at every piece and before a write is made. Internal to src/http.
#pragma once

#include <optional>
#include <string>

#include "http/core.hpp"
#include "http/exchange.hpp"
#include "http/ranges.hpp"
#include "protocol/folder_description.hpp"

namespace meshstow::http {

// All conditions of a request. An error: If-None-Match cannot be read, and this is a write.
[[nodiscard]] Result<storage::Conditions> read_conditions(const Request& request);

class StorageExchange : public Exchange {
 protected:
  StorageExchange(Core& core, Context context, Authority authority, StoragePath path)
      : core_(core),
        context_(std::move(context)),
        authority_(std::move(authority)),
        path_(std::move(path)) {}
  [[nodiscard]] bool allowed(Now now, access::Operation operation) const {
    return core_.check(now, authority_, path_, operation) == access::Verdict::allowed;
  }
  void reply(Reply reply);

  Core& core_;
  const Context context_;
  const Authority authority_;
  const StoragePath path_;
};

class DocumentGet final : public StorageExchange {
 public:
  DocumentGet(Core& core, Context context, Authority authority, StoragePath path,
              storage::Conditions conditions, const Request& request);

 protected:
  void on_sent(Now now) override;
  void on_abort() override;

 private:
  void open();
  void opened(Now now, storage::Outcome<storage::OpenedDocument> outcome);
  void send_start(Now now, storage::OpenedDocument opened);
  void send_unsatisfiable(const storage::DocumentInfo& info);
  [[nodiscard]] ResponseHead head_for(const storage::DocumentInfo& info, Now now) const;
  void read_on();
  void close_handle();

  storage::Conditions conditions_;
  std::optional<RangeAsked> range_;
  std::string if_range_;
  std::uint64_t asked_offset_ = 0;  // where OpenDocument began
  storage::ReadHandle handle_ = 0;
  std::uint64_t next_ = 0;  // what is to be sent: [next_, end_)
  std::uint64_t end_ = 0;
  std::optional<ResponseHead> head_;  // until the first piece
};

class DocumentPut final : public StorageExchange {
 public:
  DocumentPut(Core& core, Context context, Authority authority, StoragePath path,
              storage::Conditions conditions, const Request& request);
  ~DocumentPut() override;

  [[nodiscard]] bool wants_body() const override;
  [[nodiscard]] BodyPace body_pace() const override {
    return stage_ == Stage::streaming ? BodyPace::steady : BodyPace::moves;
  }

 protected:
  void on_body(Now now, ByteView piece) override;
  void on_body_end(Now now) override;
  void on_abort() override;

 private:
  enum class Stage { small, checking, streaming, storing, over };
  void check_first();
  bool take_place();
  void begin_upload(std::optional<std::uint64_t> size);
  void append();
  void appended(Now now, const storage::Outcome<storage::Done>& outcome);
  void store_if_ready(Now now);
  void stored(const storage::Outcome<storage::WriteResult>& outcome);
  void refuse(Reply reply);
  void end_upload();
  void report(Now now);

  storage::Conditions conditions_;
  std::string content_type_;
  std::optional<std::uint64_t> announced_;
  Stage stage_ = Stage::small;
  Bytes buffer_;
  storage::UploadId upload_ = 0;  // 0: none begun
  bool has_place_ = false;        // counted in core_.uploads
  std::size_t in_flight_ = 0;     // pieces on their way to the store
  bool body_ended_ = false;
  std::uint64_t received_ = 0;
  std::uint64_t work_ = 0;  // id of what the dashboard shows; 0: nothing
  TimePoint reported_{};
};

class DocumentDelete final : public StorageExchange {
 public:
  DocumentDelete(Core& core, Context context, Authority authority, StoragePath path,
                 storage::Conditions conditions);
};

class FolderGet final : public StorageExchange {
 public:
  FolderGet(Core& core, Context context, Authority authority, StoragePath path,
            storage::Conditions conditions);

 protected:
  void on_sent(Now now) override;

 private:
  void probe();
  void probed(Now now, const storage::Outcome<storage::FolderPage>& outcome);
  void next_page();
  void got_page(Now now, storage::Outcome<storage::FolderPage> outcome);
  void send_whole(Now now);
  void send_head();
  void send_pending(bool last);
  [[nodiscard]] ResponseHead head() const;

  storage::Conditions conditions_;
  StoragePath listed_;  // the root shows the items of /private/ and two folders more
  storage::ETag etag_;
  protocol::FolderDescriptionWriter writer_;
  std::string text_;
  Bytes after_;
  bool more_ = true;
  bool streaming_ = false;
  bool paging_ = false;
};

}  // namespace meshstow::http
