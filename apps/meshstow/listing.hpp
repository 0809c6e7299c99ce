// apps/meshstow/listing.hpp: `meshstow ls` of this node's folders, page by page, so that neither
// this program nor `serve` holds a large folder. Returns the exit code.
#pragma once

#include "command_line.hpp"

namespace meshstow::app {

[[nodiscard]] int list_by_pages(const Invocation& invocation);

}  // namespace meshstow::app
