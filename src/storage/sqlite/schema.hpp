// storage/sqlite/schema.hpp: the tables, and how an older file becomes a newer one.
#pragma once

#include "storage/sqlite/database.hpp"

namespace meshstow::storage {

inline constexpr std::int64_t kApplicationId = 0x4D535457;  // "MSTW"
inline constexpr std::int64_t kSchemaVersion = 2;

// One step: the statements that make version n + 1 of version n. kMigrations[0] makes the first.
struct Migration {
  const char* sql;
};

// Looks at the file and changes nothing. True: it is empty. Errc::corrupt, Errc::limit.
[[nodiscard]] Result<bool> is_empty_or_ours(Database& database);
// Sets up an empty file, or migrates an older one, in one transaction.
[[nodiscard]] Result<void> bring_up_to_date(Database& database);
[[nodiscard]] Result<void> bring_up_to_date(Database& database,
                                            std::span<const Migration> migrations);

}  // namespace meshstow::storage
