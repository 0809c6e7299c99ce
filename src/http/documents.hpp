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
#include "storage/body_upload.hpp"

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
  void give_way();

  storage::Conditions conditions_;
  std::optional<RangeAsked> range_;
  std::string if_range_;
  std::uint64_t asked_offset_ = 0;  // where OpenDocument began
  storage::ReadHandle handle_ = 0;
  base::Share place_;       // among those that are sent in pieces
  std::uint64_t next_ = 0;  // what is to be sent: [next_, end_)
  std::uint64_t end_ = 0;
  std::optional<ResponseHead> head_;  // until the first piece
};

class DocumentPut final : public StorageExchange {
 public:
  DocumentPut(Core& core, Now now, Context context, Authority authority, StoragePath path,
              storage::Conditions conditions, const Request& request);
  ~DocumentPut() override;

  [[nodiscard]] bool wants_body() const override;
  [[nodiscard]] BodyPace body_pace() const override {
    return upload_.has_place() ? BodyPace::steady : BodyPace::moves;
  }

 protected:
  void on_body(Now now, ByteView piece) override;
  void on_body_end(Now now) override;
  void on_abort() override;

 private:
  void check_first(Now now);
  void begin_upload(Now now);
  void go_on(Now now);
  void drain();
  void refuse(Reply reply);
  void report(Now now);

  storage::Conditions conditions_;
  std::string content_type_;
  std::optional<std::uint64_t> announced_;
  storage::BodyUpload upload_;
  bool checking_ = false;
  bool body_ended_ = false;
  bool committed_ = false;
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
  [[nodiscard]] bool is_same_state(const storage::FolderPage& page);
  void changed_meanwhile();
  void send_whole(Now now);
  void send_head();
  void send_pending(bool last);
  [[nodiscard]] ResponseHead head() const;

  storage::Conditions conditions_;
  StoragePath listed_;  // the root shows the items of /private/ and two folders more
  storage::ETag etag_;
  std::optional<storage::ETag>
      listed_etag_;  // of the state that is told; nullopt: nothing is there
  int attempts_ = 0;
  protocol::FolderDescriptionWriter writer_;
  std::string text_;
  Bytes after_;
  bool more_ = true;
  bool streaming_ = false;
  bool paging_ = false;
};

}  // namespace meshstow::http
