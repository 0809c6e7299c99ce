#include "storage/sqlite/sqlite_reader.hpp"

#include <sqlite3.h>

#include "storage/sqlite/schema.hpp"

namespace meshstow::storage {
namespace {

#define NODE_COLUMNS \
  "id, parent, live, key, kind, entry, digest, live_children, children, content, history"
#define HISTORY_COLUMNS "id, document, usage, superseded, bytes, content, entry"

constexpr const char* kLiveDocument =
    "SELECT n.id, n.parent, n.live, x'', n.kind, n.entry, n.digest, n.live_children, n.children, "
    "n.content, n.history, c.refs, c.chunked, c.body FROM nodes AS n "
    "LEFT JOIN contents AS c ON c.id=n.content WHERE n.parent=? AND n.live=1 AND n.key=? LIMIT 1";
constexpr const char* kNode = "SELECT " NODE_COLUMNS " FROM nodes WHERE id=?";
constexpr const char* kLiveChild =
    "SELECT " NODE_COLUMNS " FROM nodes WHERE parent=? AND live=1 AND key=? LIMIT 1";
constexpr const char* kDeadChild =
    "SELECT " NODE_COLUMNS " FROM nodes WHERE parent=? AND live=0 AND key=? AND kind=?";
constexpr const char* kLiveChildren =
    "SELECT id, parent, live, x'', kind, entry, digest, live_children, children, content, history "
    "FROM nodes INDEXED BY children WHERE parent=? AND live=1 AND id>? ORDER BY id LIMIT ?";
constexpr const char* kNodes = "SELECT " NODE_COLUMNS " FROM nodes WHERE id>? ORDER BY id LIMIT ?";
constexpr const char* kHistoryOf =
    "SELECT " HISTORY_COLUMNS " FROM history WHERE document=? AND id<? ORDER BY id DESC LIMIT ?";
constexpr const char* kOldestHistoryOf =
    "SELECT " HISTORY_COLUMNS " FROM history WHERE document=? ORDER BY id LIMIT 1";
constexpr const char* kHistory =
    "SELECT " HISTORY_COLUMNS " FROM history WHERE id>? ORDER BY id LIMIT ?";
constexpr const char* kContent = "SELECT refs, chunked, body FROM contents WHERE id=?";
constexpr const char* kContents =
    "SELECT id, refs, chunked FROM contents WHERE id>? ORDER BY id LIMIT ?";
constexpr const char* kPieceAt =
    "SELECT start, size, chunk, seal FROM pieces WHERE content=? AND start<=? "
    "ORDER BY start DESC LIMIT 1";
constexpr const char* kPieces =
    "SELECT start, size, chunk, seal FROM pieces WHERE content=? AND start>=? "
    "ORDER BY start LIMIT ?";
constexpr const char* kChunkData = "SELECT data FROM chunk_data WHERE id=?";
constexpr const char* kChunk = "SELECT id, address, refs FROM chunks WHERE id=?";
constexpr const char* kChunkAt = "SELECT id, address, refs FROM chunks WHERE address=?";
constexpr const char* kChunks =
    "SELECT id, address, refs FROM chunks WHERE id>? ORDER BY id LIMIT ?";
constexpr const char* kLoose = "SELECT content FROM loose WHERE content>? ORDER BY content LIMIT ?";
constexpr const char* kIsLoose = "SELECT 1 FROM loose WHERE content=?";
constexpr const char* kSchema = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL";
// Values that no program of ours writes: what is read as true or false, or not at all, would hide
// them.
constexpr const char* kWrongColumns =
    "SELECT 'name ' || id || ' is neither live nor dead, folder nor document' FROM nodes "
    "WHERE live NOT IN (0, 1) OR kind NOT IN (0, 1) "
    "UNION ALL SELECT 'body ' || id || ' is neither whole nor in chunks' FROM contents "
    "WHERE chunked NOT IN (0, 1) OR (chunked = 1 AND body <> x'')";
constexpr const char* kRecord = "SELECT value FROM records WHERE key=?";
constexpr const char* kRecords =
    "SELECT key, value FROM records WHERE key>=? AND key>? ORDER BY key LIMIT ?";

using Use = Statement::Use;

NodeRow node_row(const Use& use) {
  NodeRow row;
  row.id = use.integer(0);
  row.parent = use.integer(1);
  row.live = use.integer(2) != 0;
  row.key = use.bytes(3);
  row.kind = use.integer(4) == 0 ? NodeKind::folder : NodeKind::document;
  row.entry = use.bytes(5);
  row.digest = use.fixed<32>(6);
  row.live_children = use.integer(7);
  row.children = use.integer(8);
  row.content = use.integer(9);
  row.history = use.integer(10);
  return row;
}

HistoryRow history_row(const Use& use) {
  HistoryRow row;
  row.id = use.integer(0);
  row.document = use.integer(1);
  row.usage = use.integer(2);
  row.superseded = use.integer(3);
  row.bytes = use.integer(4);
  row.content = use.integer(5);
  row.entry = use.bytes(6);
  return row;
}

PieceRow piece_row(const Use& use) {
  return {use.integer(0), use.integer(1), use.integer(2), use.fixed<16>(3)};
}

ChunkRow chunk_row(const Use& use) { return {use.integer(0), use.fixed<32>(1), use.integer(2)}; }

template <class Read>
auto first(Use& use, Read read) -> std::optional<decltype(read(use))> {
  if (!use.step()) return std::nullopt;
  return read(use);
}

template <class Read>
auto all(Use& use, Read read) -> std::vector<decltype(read(use))> {
  std::vector<decltype(read(use))> out;
  while (use.step()) out.push_back(read(use));
  return out;
}

std::int64_t sql_limit(std::size_t limit) { return static_cast<std::int64_t>(limit); }

}  // namespace

SqliteReader::SqliteReader(Database& database, std::shared_ptr<StoreShared> shared)
    : database_(database),
      shared_(std::move(shared)),
      begin_(database, "BEGIN"),
      end_(database, "COMMIT"),
      live_document_(database, kLiveDocument),
      node_(database, kNode),
      live_child_(database, kLiveChild),
      dead_child_(database, kDeadChild),
      live_children_(database, kLiveChildren),
      nodes_(database, kNodes),
      history_of_(database, kHistoryOf),
      oldest_history_of_(database, kOldestHistoryOf),
      history_(database, kHistory),
      content_(database, kContent),
      contents_(database, kContents),
      piece_at_(database, kPieceAt),
      pieces_(database, kPieces),
      chunk_data_(database, kChunkData),
      chunk_(database, kChunk),
      chunk_at_(database, kChunkAt),
      chunks_(database, kChunks),
      loose_(database, kLoose),
      is_loose_(database, kIsLoose),
      record_(database, kRecord),
      records_(database, kRecords) {}

SqliteReader::SqliteReader(std::unique_ptr<Database> own, std::shared_ptr<StoreShared> shared)
    : SqliteReader(*own, std::move(shared)) {
  own_ = std::move(own);
}

Result<std::unique_ptr<SqliteReader>> SqliteReader::open(const std::string& path,
                                                         const SqliteOptions& options,
                                                         std::shared_ptr<StoreShared> shared) {
  auto own = std::make_unique<Database>();
  const auto opened = options.read_only ? own->open_read_only(path, options.has_log)
                                        : own->open(path, options.vfs, /*may_create=*/false);
  if (!opened) return fail(opened.error());
  const std::string settings =
      "PRAGMA cell_size_check=ON;PRAGMA query_only=ON;PRAGMA cache_size=-" +
      std::to_string(options.reader_cache_kib);
  if (auto set = own->execute(settings.c_str()); !set) return fail(set.error());
  return std::unique_ptr<SqliteReader>(new SqliteReader(std::move(own), std::move(shared)));
}

void SqliteReader::begin() {
  database_.clear_error();
  Use(begin_).run();
}

void SqliteReader::end() {
  database_.clear_error();
  Use(end_).run();
  if (database_.error() && sqlite3_get_autocommit(database_.handle()) == 0) {
    database_.clear_error();
    if (auto done = database_.execute("ROLLBACK"); !done) return;
  }
  database_.clear_error();
}

Result<std::optional<DocumentRow>> SqliteReader::live_document(NodeId parent, ByteView key) {
  database_.clear_error();
  std::optional<DocumentRow> out;
  {
    Use use(live_document_);
    if (use.bind(parent).bind(key).step()) {
      out = DocumentRow{node_row(use),
                        ContentRow{use.integer(11), use.integer(12) != 0, use.bytes(13)}};
      if (out->node.kind != NodeKind::document) out.reset();
    }
  }
  const auto error = database_.error();
  database_.clear_error();
  if (error) return fail(*error);
  return out;
}

std::optional<NodeRow> SqliteReader::node(NodeId id) {
  Use use(node_);
  return first(use.bind(id), node_row);
}

std::optional<NodeRow> SqliteReader::live_child(NodeId parent, ByteView key) {
  Use use(live_child_);
  return first(use.bind(parent).bind(key), node_row);
}

std::optional<NodeRow> SqliteReader::dead_child(NodeId parent, ByteView key, NodeKind kind) {
  Use use(dead_child_);
  return first(use.bind(parent).bind(key).bind(static_cast<std::int64_t>(kind)), node_row);
}

std::vector<NodeRow> SqliteReader::live_children(NodeId parent, NodeId above, std::size_t limit) {
  Use use(live_children_);
  return all(use.bind(parent).bind(above).bind(sql_limit(limit)), node_row);
}

std::vector<NodeRow> SqliteReader::nodes(NodeId above, std::size_t limit) {
  Use use(nodes_);
  return all(use.bind(above).bind(sql_limit(limit)), node_row);
}

std::vector<HistoryRow> SqliteReader::history_of(NodeId document, HistoryId below,
                                                 std::size_t limit) {
  Use use(history_of_);
  return all(use.bind(document).bind(below).bind(sql_limit(limit)), history_row);
}

std::optional<HistoryRow> SqliteReader::oldest_history_of(NodeId document) {
  Use use(oldest_history_of_);
  return first(use.bind(document), history_row);
}

std::vector<HistoryRow> SqliteReader::history(HistoryId above, std::size_t limit) {
  Use use(history_);
  return all(use.bind(above).bind(sql_limit(limit)), history_row);
}

std::optional<ContentRow> SqliteReader::content(ContentId id) {
  Use use(content_);
  return first(use.bind(id), [](const Use& row) {
    return ContentRow{row.integer(0), row.integer(1) != 0, row.bytes(2)};
  });
}

std::vector<std::pair<ContentId, ContentRow>> SqliteReader::contents(ContentId above,
                                                                     std::size_t limit) {
  Use use(contents_);
  return all(use.bind(above).bind(sql_limit(limit)), [](const Use& row) {
    return std::pair(row.integer(0), ContentRow{row.integer(1), row.integer(2) != 0, {}});
  });
}

std::optional<PieceRow> SqliteReader::piece_at(ContentId content, std::int64_t offset) {
  Use use(piece_at_);
  return first(use.bind(content).bind(offset), piece_row);
}

std::vector<PieceRow> SqliteReader::pieces(ContentId content, std::int64_t from_offset,
                                           std::size_t limit) {
  Use use(pieces_);
  return all(use.bind(content).bind(from_offset).bind(sql_limit(limit)), piece_row);
}

std::optional<Bytes> SqliteReader::chunk_data(ChunkId id) {
  Use use(chunk_data_);
  return first(use.bind(id), [](const Use& row) { return row.bytes(0); });
}

std::optional<ChunkRow> SqliteReader::chunk(ChunkId id) {
  Use use(chunk_);
  return first(use.bind(id), chunk_row);
}

std::optional<ChunkRow> SqliteReader::chunk_at(const Hash32& address) {
  Use use(chunk_at_);
  return first(use.bind(address.view()), chunk_row);
}

std::vector<ChunkRow> SqliteReader::chunks(ChunkId above, std::size_t limit) {
  Use use(chunks_);
  return all(use.bind(above).bind(sql_limit(limit)), chunk_row);
}

std::vector<ContentId> SqliteReader::loose(ContentId above, std::size_t limit) {
  Use use(loose_);
  return all(use.bind(above).bind(sql_limit(limit)), [](const Use& row) { return row.integer(0); });
}

bool SqliteReader::is_loose(ContentId id) {
  Use use(is_loose_);
  return use.bind(id).step();
}

std::optional<Bytes> SqliteReader::record(ByteView key) {
  Use use(record_);
  return first(use.bind(key), [](const Use& row) { return row.bytes(0); });
}

std::vector<std::pair<Bytes, Bytes>> SqliteReader::records(ByteView prefix, ByteView after,
                                                           std::size_t limit) {
  std::vector<std::pair<Bytes, Bytes>> out;
  Use use(records_);
  use.bind(prefix).bind(after).bind(sql_limit(limit));
  while (use.step()) {
    Bytes key = use.bytes(0);
    if (!base::as_text(key).starts_with(base::as_text(prefix))) break;
    out.emplace_back(std::move(key), use.bytes(1));
  }
  return out;
}

std::vector<std::string> SqliteReader::check_file(std::size_t limit) {
  const std::string sql = "PRAGMA integrity_check(" + std::to_string(limit) + ")";
  std::vector<std::string> lines = texts(sql.c_str());
  if (lines.size() == 1 && lines[0] == "ok") lines.clear();
  for (std::string& line : texts(kWrongColumns)) lines.push_back(std::move(line));
  std::vector<std::string> wanted = schema_of_new_stores();
  for (const std::string& made : texts(kSchema)) std::erase(wanted, made);
  for (const std::string& missing : wanted) lines.push_back("the file lacks: " + missing);
  if (lines.size() > limit) lines.resize(limit);
  return lines;
}

std::vector<std::string> SqliteReader::texts(const char* sql) {
  Statement statement(database_, sql);
  Use use(statement);
  return all(use, [](const Use& row) { return row.text(0); });
}

// What the tables and indices of a store that is made now say of themselves.
std::vector<std::string> SqliteReader::schema_of_new_stores() {
  Database fresh;
  if (!fresh.open(":memory:", "", /*may_create=*/true) || !bring_up_to_date(fresh)) return {};
  Statement statement(fresh, kSchema);
  Use use(statement);
  return all(use, [](const Use& row) { return row.text(0); });
}

}  // namespace meshstow::storage
