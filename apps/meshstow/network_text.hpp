// apps/meshstow/network_text.hpp: which network there is, as text. The JSON is that of
// io/network_report.hpp.
#pragma once

#include <boost/json.hpp>

namespace meshstow::app {

// For `serve`: what there is, and what to do where that is nothing.
void print_network(const boost::json::object& about);
// For `status`: each interface as rnstatus shows it.
void print_interfaces(const boost::json::object& about);

}  // namespace meshstow::app
