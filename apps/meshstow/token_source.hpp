// apps/meshstow/token_source.hpp: where the token for another node comes from. Every user of a
// machine can read the arguments of its programs, but neither their files nor their environment.
#pragma once

#include <string>

#include "base/result.hpp"

namespace meshstow::app {

// `given` (--token), else what stands in `file` (--token-file; "-" is standard input), else
// $MESHSTOW_TOKEN; empty: none. Both may be empty. The error is for people.
[[nodiscard]] tl::expected<std::string, std::string> find_token(const std::string& given,
                                                                const std::string& file);

}  // namespace meshstow::app
