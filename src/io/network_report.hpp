// io/network_report.hpp: which network there is, as `--json` says it. `serve` and `status` alike.
#pragma once

#include <boost/json.hpp>

#include "io/node_host.hpp"

namespace meshstow::io {

// {"state": "joined"|"waiting"|"own"|"offline", "summary", "config", "shared_instance",
// "left_closed",
//  "ways_out"}
boost::json::object network_json(const NetworkStatus& network);
// [{"name","status":"up"|"down"|"closed","up","why","peers","bytes_in","bytes_out",
//   "packets_dropped"}]
boost::json::array interfaces_json(const NetworkStatus& network);
boost::json::array listening_json(const NodeHost& host);
// What an error says about a node that was not reached: in which network it was looked for.
std::string without_a_way(std::string_view message, const NetworkStatus& network);

}  // namespace meshstow::io
