#include "network_text.hpp"

#include <cstdio>
#include <string>

#include "codec/printable.hpp"
#include "terminal_text.hpp"

namespace meshstow::app {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) {
  return value.is_string() ? codec::printable(value.as_string()) : std::string();
}

std::string size(const json::object& interface, const char* key) {
  return pretty_size(interface.at(key).to_number<std::uint64_t>());
}

// "Up", "Down: Connection refused", "Closed: left to a shared instance"
std::string status_of(const json::object& interface) {
  std::string out = text(interface.at("status"));
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  if (const json::value* why = interface.if_contains("why")) out += ": " + text(*why);
  return out;
}

void print_ways_out(const json::object& network) {
  const bool closed = !network.at("left_closed").as_array().empty();
  const char* before = closed ? "To open what is left closed" : "For a network";
  for (const json::value& way : network.at("ways_out").as_array()) {
    std::printf("%s %s", before, text(way).c_str());
    before = ",\n  or";
  }
  if (!network.at("ways_out").as_array().empty()) std::printf("\n");
}

}  // namespace

void print_network(const json::object& about) {
  const json::object& network = about.at("network").as_object();
  std::printf("  %-12s : %s\n", "Network", text(network.at("summary")).c_str());
  for (const json::value& value : about.at("interfaces").as_array()) {
    const json::object& interface = value.as_object();
    const bool is_closed = interface.at("status") == "closed";
    std::printf("  %-12s : %s\n", is_closed ? "Left closed" : "Interface",
                text(interface.at("name")).c_str());
  }
  print_ways_out(network);
}

void print_interfaces(const json::object& about) {
  const json::object& network = about.at("network").as_object();
  std::printf("  %-12s : %s\n", "Network", text(network.at("summary")).c_str());
  for (const json::value& value : about.at("interfaces").as_array()) {
    const json::object& interface = value.as_object();
    std::printf("\n  %s\n", text(interface.at("name")).c_str());
    std::printf("    %-10s : %s\n", "Status", status_of(interface).c_str());
    if (interface.at("status") == "closed") continue;
    std::printf("    %-10s : %s\n", "Peers", json::serialize(interface.at("peers")).c_str());
    std::printf("    %-10s : ↑%s\n", "Traffic", size(interface, "bytes_out").c_str());
    std::printf("    %-10s   ↓%s\n", "", size(interface, "bytes_in").c_str());
  }
  print_ways_out(network);
}

}  // namespace meshstow::app
