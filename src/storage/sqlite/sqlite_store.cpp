#include "storage/sqlite/sqlite_store.hpp"

#include <sqlite3.h>

#include "storage/sqlite/schema.hpp"
#include "storage/sqlite/sqlite_reader.hpp"

namespace meshstow::storage {
namespace {

// Pages of the write-ahead log after which it is copied into the file: soon when nobody waits, late
// when somebody does, since a page that changes often is then copied once.
constexpr int kIdleCheckpoint = 256;
constexpr int kBusyCheckpoint = 4096;

// SQLite writes this one even where it holds already, so only a new file is told.
constexpr const char* kBeforeSchema = "PRAGMA auto_vacuum=INCREMENTAL";
constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA temp_store=MEMORY;PRAGMA "
    "cell_size_check=ON;"
    "PRAGMA journal_size_limit=16777216;PRAGMA cache_spill=1000";

class SqliteStore final : public LocalStore {
 public:
  SqliteStore(std::string path, SqliteOptions options)
      : path_(std::move(path)), options_(std::move(options)) {}
  ~SqliteStore() override;

  Result<void> open();

  LocalStoreReader& view() override { return view_; }
  Result<std::unique_ptr<LocalStoreReader>> make_reader() override {
    auto reader = SqliteReader::open(path_, options_, shared_);
    if (!reader) return fail(reader.error());
    return std::move(*reader);
  }

  Result<void> begin(bool durable) override;
  Result<void> commit() override;
  void rollback() override;

  void insert_node(const NodeRow& row) override;
  void update_node(const NodeRow& row) override;
  void set_folder(NodeId id, const Hash32& digest, std::int64_t live_children,
                  std::int64_t children) override {
    Use(set_folder_).bind(digest.view()).bind(live_children).bind(children).bind(id).run();
  }
  void set_live(NodeId id, bool live) override { Use(set_live_).bind(live ? 1 : 0).bind(id).run(); }
  void remove_node(NodeId id) override { Use(remove_node_).bind(id).run(); }

  void insert_history(const HistoryRow& row) override;
  void remove_history(HistoryId id) override { Use(remove_history_).bind(id).run(); }

  void insert_content(ContentId id, const ContentRow& row) override {
    Use(insert_content_)
        .bind(id)
        .bind(row.references)
        .bind(row.chunked ? 1 : 0)
        .bind(ByteView(row.body))
        .run();
  }
  void set_references(ContentId id, std::int64_t references) override {
    Use(set_references_).bind(references).bind(id).run();
  }
  void remove_content(ContentId id) override { Use(remove_content_).bind(id).run(); }

  void insert_piece(ContentId content, const PieceRow& row) override {
    Use(insert_piece_)
        .bind(content)
        .bind(row.offset)
        .bind(row.size)
        .bind(row.chunk)
        .bind(row.seal.view())
        .run();
  }
  void remove_piece(ContentId content, std::int64_t offset) override {
    Use(remove_piece_).bind(content).bind(offset).run();
  }

  void insert_chunk(const ChunkRow& row, ByteView data) override {
    Use(insert_chunk_).bind(row.id).bind(row.address.view()).bind(row.references).run();
    Use(insert_chunk_data_).bind(row.id).bind(data).run();
  }
  void set_chunk_references(ChunkId id, std::int64_t references) override {
    Use(set_chunk_references_).bind(references).bind(id).run();
  }
  void remove_chunk(ChunkId id) override {
    Use(remove_chunk_).bind(id).run();
    Use(remove_chunk_data_).bind(id).run();
  }

  void add_loose(ContentId id) override { Use(add_loose_).bind(id).run(); }
  void remove_loose(ContentId id) override { Use(remove_loose_).bind(id).run(); }

  void put_record(ByteView key, ByteView value) override {
    Use(put_record_).bind(key).bind(value).run();
  }
  void remove_record(ByteView key) override { Use(remove_record_).bind(key).run(); }

  void tidy(bool idle) override;
  Result<bool> shrink(std::size_t bytes) override;
  FileSize file_size() override;

 private:
  using Use = Statement::Use;

  static int note_log_size(void* store, sqlite3*, const char*, int pages) {
    static_cast<SqliteStore*>(store)->log_pages_ = pages;
    return SQLITE_OK;
  }
  [[nodiscard]] Result<void> open_read_only();
  [[nodiscard]] bool file_is_gone();
  [[nodiscard]] std::int64_t size_of_file();
  [[nodiscard]] bool log_is_there();
  bool checkpoint();
  void note_log(int pages);

  std::string path_;
  SqliteOptions options_;
  Database database_;
  std::shared_ptr<StoreShared> shared_ = std::make_shared<StoreShared>();
  SqliteReader view_{database_, shared_};
  int log_pages_ = 0;
  std::int64_t smallest_size_ = 0;  // that the file can have now, if nobody else has touched it
  bool durable_ = true;

  Statement begin_{database_, "BEGIN IMMEDIATE"};
  Statement commit_{database_, "COMMIT"};
  Statement insert_node_{database_,
                         "INSERT INTO nodes (id, parent, live, key, kind, digest, live_children, "
                         "children, content, history, entry) VALUES (?,?,?,?,?,?,?,?,?,?,?)"};
  Statement update_node_{database_,
                         "UPDATE nodes SET digest=?, live_children=?, children=?, content=?, "
                         "history=?, entry=? WHERE id=?"};
  Statement set_folder_{database_,
                        "UPDATE nodes SET digest=?, live_children=?, children=? WHERE id=?"};
  Statement set_live_{database_, "UPDATE nodes SET live=? WHERE id=?"};
  Statement remove_node_{database_, "DELETE FROM nodes WHERE id=?"};
  Statement insert_history_{database_,
                            "INSERT INTO history (id, document, usage, superseded, bytes, content, "
                            "entry) VALUES (?,?,?,?,?,?,?)"};
  Statement remove_history_{database_, "DELETE FROM history WHERE id=?"};
  Statement insert_content_{database_,
                            "INSERT INTO contents (id, refs, chunked, body) VALUES (?,?,?,?)"};
  Statement set_references_{database_, "UPDATE contents SET refs=? WHERE id=?"};
  Statement remove_content_{database_, "DELETE FROM contents WHERE id=?"};
  Statement insert_piece_{
      database_, "INSERT INTO pieces (content, start, size, chunk, seal) VALUES (?,?,?,?,?)"};
  Statement remove_piece_{database_, "DELETE FROM pieces WHERE content=? AND start=?"};
  Statement insert_chunk_{database_, "INSERT INTO chunks (id, address, refs) VALUES (?,?,?)"};
  Statement insert_chunk_data_{database_, "INSERT INTO chunk_data (id, data) VALUES (?,?)"};
  Statement set_chunk_references_{database_, "UPDATE chunks SET refs=? WHERE id=?"};
  Statement remove_chunk_{database_, "DELETE FROM chunks WHERE id=?"};
  Statement remove_chunk_data_{database_, "DELETE FROM chunk_data WHERE id=?"};
  Statement add_loose_{database_, "INSERT OR IGNORE INTO loose (content) VALUES (?)"};
  Statement remove_loose_{database_, "DELETE FROM loose WHERE content=?"};
  Statement put_record_{database_, "INSERT OR REPLACE INTO records (key, value) VALUES (?,?)"};
  Statement remove_record_{database_, "DELETE FROM records WHERE key=?"};
};

SqliteStore::~SqliteStore() {
  note_log(0);  // closing copies the log into the file, and removes it
  if (database_.handle() != nullptr && sqlite3_get_autocommit(database_.handle()) == 0) rollback();
}

Result<void> SqliteStore::open_read_only() {
  if (auto opened = database_.open_read_only(path_, options_.has_log); !opened) return opened;
  const auto empty = is_empty_or_ours(database_);
  if (!empty) return fail(empty.error());
  if (*empty) return fail(Errc::unavailable, "the file system cannot be written");
  const auto version = database_.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version == kSchemaVersion) return {};
  return fail(Errc::unavailable, "the store is of an older program, and cannot be written");
}

Result<void> SqliteStore::open() {
  if (options_.read_only) return open_read_only();
  if (auto opened = database_.open(path_, options_.vfs, /*may_create=*/true); !opened) {
    return opened;
  }
  const auto empty = is_empty_or_ours(database_);
  if (!empty) return fail(empty.error());
  if (sqlite3_db_readonly(database_.handle(), "main") != 0) {
    return fail(Errc::unavailable, "the store's file cannot be written");
  }
  if (*empty) {
    if (auto set = database_.execute(kBeforeSchema); !set) return set;
  }
  const std::string cache = "PRAGMA cache_size=-" + std::to_string(options_.cache_kib);
  if (auto set = database_.execute(cache.c_str()); !set) return set;
  if (auto set = database_.execute(kSettings); !set) return set;
  if (auto done = bring_up_to_date(database_); !done) return done;
  sqlite3_db_config(database_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  sqlite3_wal_hook(database_.handle(), note_log_size, this);  // instead of automatic checkpoints
  smallest_size_ = size_of_file();
  return {};
}

// Somebody has removed, replaced or shortened the file under us, or removed its log: what we write
// now would be lost with it.
bool SqliteStore::file_is_gone() {
  int moved = 0;
  const int code = sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (code == SQLITE_OK && moved != 0) return true;
  const std::int64_t size = size_of_file();
  if (size < smallest_size_) return true;
  return log_pages_ > 0 && !log_is_there();
}

std::int64_t SqliteStore::size_of_file() {
  sqlite3_file* file = nullptr;
  sqlite3_int64 size = 0;
  const int code =
      sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK || file->pMethods == nullptr) return 0;
  return file->pMethods->xFileSize(file, &size) == SQLITE_OK ? size : 0;
}

bool SqliteStore::log_is_there() {
  sqlite3_vfs* vfs = nullptr;
  sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  int there = 0;
  const int code = vfs->xAccess(vfs, (path_ + "-wal").c_str(), SQLITE_ACCESS_EXISTS, &there);
  return code != SQLITE_OK || there != 0;
}

Result<void> SqliteStore::begin(bool durable) {
  database_.clear_error();
  if (options_.read_only) return fail(Errc::unavailable, "the file system cannot be written");
  if (file_is_gone()) return fail(Errc::unavailable, "the store's file has been taken away");
  if (durable != durable_) {
    // A commit that need not last is not synced; the sync of the next durable one covers it, since
    // both are in one log.
    const char* mode = durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL";
    if (auto set = database_.execute(mode); !set) return set;
    durable_ = durable;
  }
  Use(begin_).run();
  if (database_.error()) return fail(*database_.error());
  return {};
}

Result<void> SqliteStore::commit() {
  if (!database_.error() && file_is_gone()) database_.note_error(SQLITE_IOERR);
  Use(commit_).run();
  shared_->commits.fetch_add(1);  // failed or not: it may show
  const auto error = database_.error();
  if (!error) {
    if (durable_) note_log(log_pages_);
    if (log_pages_ >= kBusyCheckpoint) tidy(/*idle=*/false);
    return {};
  }
  rollback();
  return fail(*error);
}

void SqliteStore::rollback() {
  database_.clear_error();
  if (sqlite3_get_autocommit(database_.handle()) != 0) return;  // SQLite has done it already
  if (auto done = database_.execute("ROLLBACK"); !done) return;
}

ByteView digest_column(const NodeRow& row) {
  return row.kind == NodeKind::folder ? row.digest.view() : ByteView{};
}

void SqliteStore::insert_node(const NodeRow& row) {
  Use(insert_node_)
      .bind(row.id)
      .bind(row.parent)
      .bind(row.live ? 1 : 0)
      .bind(ByteView(row.key))
      .bind(static_cast<std::int64_t>(row.kind))
      .bind(digest_column(row))
      .bind(row.live_children)
      .bind(row.children)
      .bind(row.content)
      .bind(row.history)
      .bind(ByteView(row.entry))
      .run();
}

void SqliteStore::update_node(const NodeRow& row) {
  Use(update_node_)
      .bind(digest_column(row))
      .bind(row.live_children)
      .bind(row.children)
      .bind(row.content)
      .bind(row.history)
      .bind(ByteView(row.entry))
      .bind(row.id)
      .run();
}

void SqliteStore::insert_history(const HistoryRow& row) {
  Use(insert_history_)
      .bind(row.id)
      .bind(row.document)
      .bind(row.usage)
      .bind(row.superseded)
      .bind(row.bytes)
      .bind(row.content)
      .bind(ByteView(row.entry))
      .run();
}

void SqliteStore::tidy(bool idle) {
  if (log_pages_ < (idle ? kIdleCheckpoint : kBusyCheckpoint)) return;
  checkpoint();
  log_pages_ = 0;
}

// Copies the log into the file. A failure loses nothing: the log keeps what could not be copied,
// and the next try copies it. True: nothing in the log is needed any more.
bool SqliteStore::checkpoint() {
  int pages = -1;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                             &pages, &copied);
  const bool all = code == SQLITE_OK && pages == copied;
  if (all) note_log(0);
  smallest_size_ = size_of_file();
  return all;
}

void SqliteStore::note_log(int pages) {
  if (options_.note_log && !options_.read_only) {
    options_.note_log(static_cast<std::uint32_t>(pages));
  }
}

Result<bool> SqliteStore::shrink(std::size_t bytes) {
  database_.clear_error();
  const auto page = database_.number("PRAGMA page_size");
  const auto before = database_.number("PRAGMA freelist_count");
  if (!page) return fail(page.error());
  if (!before) return fail(before.error());
  const auto pages = std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes) / *page);
  const std::string sql = "PRAGMA incremental_vacuum(" + std::to_string(pages) + ")";
  if (auto done = database_.execute(sql.c_str()); !done) return fail(done.error());
  const auto unused = database_.number("PRAGMA freelist_count");
  if (!unused) return fail(unused.error());
  if (*unused > 0 && *unused < *before) {
    tidy(/*idle=*/true);
    return true;
  }
  // Now the file itself; readers that are in the way make it happen later.
  if (checkpoint()) {
    sqlite3_wal_checkpoint_v2(database_.handle(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                              nullptr);
    smallest_size_ = size_of_file();
  }
  log_pages_ = 0;
  return false;
}

LocalStore::FileSize SqliteStore::file_size() {
  const auto page = database_.number("PRAGMA page_size");
  const auto pages = database_.number("PRAGMA page_count");
  const auto unused = database_.number("PRAGMA freelist_count");
  if (!page || !pages || !unused) return {};
  return {static_cast<std::uint64_t>(*page * *pages), static_cast<std::uint64_t>(*page * *unused)};
}

}  // namespace

Result<std::unique_ptr<LocalStore>> open_sqlite_store(const std::string& path,
                                                      const SqliteOptions& options) {
  auto store = std::make_unique<SqliteStore>(path, options);
  if (auto opened = store->open(); !opened) return fail(opened.error());
  return store;
}

}  // namespace meshstow::storage
