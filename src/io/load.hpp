// io/load.hpp: what others ask and hold of a running node, as `status` and the dashboard tell it.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "base/shares.hpp"
#include "io/node_host.hpp"

namespace meshstow::io {

// Every bound of docs/BOUNDS.md that is shared out.
[[nodiscard]] std::vector<const base::Shares*> bounds_of(NodeHost& host);

// {"links","known_links","requests","too_slow","turned_away","store_queue",
//  "bounds":[{"name","held","whole","owner","guests","strangers","most","refused","dropped"}]}
[[nodiscard]] boost::json::object load_json(NodeHost& host);

}  // namespace meshstow::io
