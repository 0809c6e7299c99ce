#include "storage/operations.hpp"

namespace meshstow::storage {
namespace {

template <class... Kinds>
bool is_one_of(const Operation& operation) {
  return (std::holds_alternative<Kinds>(operation) || ...);
}

}  // namespace

bool is_write(const Operation& operation) {
  return !is_one_of<OpenDocument, ReadDocument, CloseDocument, ListFolder, ListVersions,
                    FindVersion, ReadUsage, GetRecord, ListRecords>(operation);
}

}  // namespace meshstow::storage
