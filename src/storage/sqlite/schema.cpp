#include "storage/sqlite/schema.hpp"

#include <array>

namespace meshstow::storage {
namespace {

// Names are short in SQL and long in local_store.hpp; docs/FORMAT.md explains each column.
constexpr const char* kFirstSchema = R"sql(
CREATE TABLE nodes (
  id INTEGER PRIMARY KEY,
  parent INTEGER NOT NULL,
  live INTEGER NOT NULL,
  key BLOB NOT NULL,
  kind INTEGER NOT NULL,
  digest BLOB,
  live_children INTEGER,
  children INTEGER,
  content INTEGER,
  history INTEGER,
  entry BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX names ON nodes (parent, live, key, kind);

CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  document INTEGER NOT NULL,
  usage INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  content INTEGER NOT NULL,
  entry BLOB NOT NULL
) STRICT;
CREATE INDEX history_of ON history (document, id);

CREATE TABLE contents (
  id INTEGER PRIMARY KEY,
  refs INTEGER NOT NULL,
  chunked INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE pieces (
  content INTEGER NOT NULL,
  start INTEGER NOT NULL,
  size INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (content, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY,
  address BLOB NOT NULL,
  refs INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX addresses ON chunks (address);
CREATE TABLE chunk_data (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;
CREATE TABLE loose (
  content INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE records (
  key BLOB PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// For listings, in the order in which the rows lie. Entries and the record of the space say more
// about dates from here on, which an older program would take for damage.
constexpr const char* kSecondSchema = "CREATE INDEX children ON nodes (parent, live)";

constexpr std::array<Migration, kSchemaVersion> kMigrations{{{kFirstSchema}, {kSecondSchema}}};

std::string pragma(const char* name, std::int64_t value) {
  return std::string("PRAGMA ") + name + "=" + std::to_string(value);
}

Result<void> migrate(Database& database, std::span<const Migration> migrations) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  for (auto at = static_cast<std::size_t>(*version); at < migrations.size(); ++at) {
    if (auto done = database.execute(migrations[at].sql); !done) return done;
  }
  const auto newest = static_cast<std::int64_t>(migrations.size());
  if (auto done = database.execute(pragma("application_id", kApplicationId).c_str()); !done) {
    return done;
  }
  return database.execute(pragma("user_version", newest).c_str());
}

}  // namespace

Result<bool> is_empty_or_ours(Database& database) {
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return fail(tables.error());
  const auto application = database.number("PRAGMA application_id");
  const auto version = database.number("PRAGMA user_version");
  if (!application) return fail(application.error());
  if (!version) return fail(version.error());
  if (*tables == 0 && *application == 0 && *version == 0) return true;
  if (*application != kApplicationId) return fail(Errc::corrupt, "the file is not a store of ours");
  if (*version > kSchemaVersion) return fail(Errc::limit, "the store is of a newer program");
  if (*version < 1) return fail(Errc::corrupt, "the store has no version");
  return false;
}

Result<void> bring_up_to_date(Database& database) {
  return bring_up_to_date(database, kMigrations);
}

Result<void> bring_up_to_date(Database& database, std::span<const Migration> migrations) {
  const auto version = database.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version == static_cast<std::int64_t>(migrations.size())) return {};
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  auto done = migrate(database, migrations);
  if (done) done = database.execute("COMMIT");
  if (!done && !database.execute("ROLLBACK")) {
    // Nothing to roll back: SQLite has done it already. `done` says why.
  }
  return done;
}

}  // namespace meshstow::storage
