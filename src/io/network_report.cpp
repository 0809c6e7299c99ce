#include "io/network_report.hpp"

namespace meshstow::io {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

json::object interface_json(const InterfaceStatus& interface, const char* status) {
  json::object out{{"name", interface.name},
                   {"status", status},
                   {"up", interface.up},
                   {"peers", interface.peers},
                   {"bytes_in", interface.bytes_in},
                   {"bytes_out", interface.bytes_out},
                   {"packets_dropped", interface.packets_dropped}};
  if (!interface.why_down.empty()) out["why"] = interface.why_down;
  return out;
}

}  // namespace

json::object network_json(const NetworkStatus& network) {
  return {{"state", network.state},
          {"summary", network.summary},
          {"config", text_or_null(network.config)},
          {"shared_instance", text_or_null(network.instance)},
          {"left_closed", json::array(network.left_closed.begin(), network.left_closed.end())},
          {"ways_out", json::array(network.ways_out.begin(), network.ways_out.end())}};
}

json::array interfaces_json(const NetworkStatus& network) {
  json::array out;
  for (const InterfaceStatus& each : network.interfaces) {
    out.push_back(interface_json(each, each.up ? "up" : "down"));
  }
  for (const std::string& name : network.left_closed) {
    out.push_back(
        interface_json({.name = name, .why_down = "left to a shared instance"}, "closed"));
  }
  return out;
}

std::string without_a_way(std::string_view message, const NetworkStatus& network) {
  std::string out(message);
  out += " (network: " + network.summary + ')';
  const char* before = "; ";
  for (const std::string& way : network.ways_out) {
    out += before + way;
    before = ", or ";
  }
  return out;
}

json::array listening_json(const NodeHost& host) {
  json::array out;
  for (const Address& address : host.listening()) out.emplace_back(to_text(address));
  return out;
}

}  // namespace meshstow::io
