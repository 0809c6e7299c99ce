// io/archive.hpp: what a zip, tar or tar.gz holds, in memory. Internal to io (app_source.cpp).
//
// For archives of static web apps. Folders are left out; everything else is named, so that the
// caller can refuse what it has no use for. Names are as in the archive. Deflate is Beast's.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace meshstow::io {

enum class EntryKind {
  file,
  hard_link,      // `target`: another name in the archive
  symbolic_link,  // `target`: as seen from the folder of the link
  other,          // devices, pipes, files with holes
};

struct ArchiveEntry {
  std::string path;
  EntryKind kind = EntryKind::file;
  Bytes bytes;         // files
  std::string target;  // links
};

// Errc::malformed: no archive that we read, or a damaged one. Errc::limit: unpacks to more than
// `max_bytes` or limits::kAppFiles entries.
[[nodiscard]] Result<std::vector<ArchiveEntry>> read_archive(ByteView archive,
                                                             std::size_t max_bytes);

}  // namespace meshstow::io
