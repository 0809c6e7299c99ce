// storage/sqlite/database.hpp: SQLite's handles as values, and its errors as ours.
//
// Threading: an object belongs to one thread at a time. The first error sticks to the Database
// until clear_error(), as LocalStoreReader demands; a Statement on a Database with an error does
// nothing.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace meshstow::storage {

Error error_from_sqlite(int code);

class Database {
 public:
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // `vfs` empty: the system's, for this process alone unless another one has the file open already.
  [[nodiscard]] Result<void> open(const std::string& path, const std::string& vfs, bool may_create);
  // From a file system that cannot be written. `has_log`: there is one beside the file, which is
  // read too.
  [[nodiscard]] Result<void> open_read_only(const std::string& path, bool has_log);
  // Statements without results.
  [[nodiscard]] Result<void> execute(const char* sql);
  [[nodiscard]] Result<std::int64_t> number(const char* sql);

  [[nodiscard]] sqlite3* handle() const { return handle_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void note_error(int code);
  void clear_error() { error_.reset(); }

 private:
  [[nodiscard]] Result<void> open(const std::string& name, const std::string& vfs, int flags);
  [[nodiscard]] bool is_shared();

  sqlite3* handle_ = nullptr;
  std::optional<Error> error_;
};

// A prepared statement that is used again and again. One use:
//
//   Statement::Use use(statement);
//   use.bind(1, id);
//   while (use.step()) out.push_back(use.integer(0));
class Statement {
 public:
  Statement(Database& database, const char* sql) : database_(database), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  class Use {
   public:
    explicit Use(Statement& statement);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    // Bytes that are bound must live until the end of the use.
    Use& bind(std::int64_t value);
    Use& bind(ByteView value);
    [[nodiscard]] bool step();  // true: there is a row
    void run() {
      while (step()) {
      }
    }

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] Bytes bytes(int column) const;
    template <std::size_t N>
    [[nodiscard]] FixedBytes<N> fixed(int column) const {
      const ByteView view = blob(column);
      return view.size() == N ? FixedBytes<N>::prefix_of(view) : FixedBytes<N>{};
    }
    [[nodiscard]] std::string text(int column) const { return base::to_string(bytes(column)); }

   private:
    [[nodiscard]] ByteView blob(int column) const;
    Database& database_;
    sqlite3_stmt* handle_;
    int next_parameter_ = 1;
  };

 private:
  Database& database_;
  const char* sql_;
  sqlite3_stmt* handle_ = nullptr;  // prepared at the first use
};

}  // namespace meshstow::storage
