// io/archive.hpp: the files of a zip, tar or tar.gz, in memory. Internal to io (app_source.cpp).
//
// For archives of static web apps: regular files only, whatever else an archive can hold is left
// out. Names are as in the archive; the caller checks them. Deflate is Beast's.
#pragma once

#include "base/result.hpp"
#include "http/apps.hpp"

namespace meshstow::io {

// Errc::malformed: no archive that we read, or a damaged one. Errc::limit: unpacks to more than
// `max_bytes` or limits::kAppFiles files.
[[nodiscard]] Result<std::vector<http::AppSourceFile>> read_archive(ByteView archive,
                                                                    std::size_t max_bytes);

}  // namespace meshstow::io
