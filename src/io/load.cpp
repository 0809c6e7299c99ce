#include "io/load.hpp"

#include <boost/json.hpp>

#include "io/http_server.hpp"

namespace meshstow::io {
namespace json = boost::json;

std::vector<const base::Shares*> bounds_of(NodeHost& host) {
  std::vector<const base::Shares*> out = host.node().load().bounds;
  if (const HttpServer* server = host.http_server()) {
    const auto of_http = server->bounds();
    out.insert(out.end(), of_http.begin(), of_http.end());
  }
  return out;
}

namespace {

json::object mesh_json(const reticulum::Statistics& mesh) {
  json::array interfaces;
  for (const reticulum::InterfaceStatistics& each : mesh.interfaces) {
    interfaces.push_back(json::object{{"name", each.name},
                                      {"packets", each.packets_in},
                                      {"bytes", each.bytes_in},
                                      {"malformed", each.malformed},
                                      {"duplicates", each.duplicates},
                                      {"announces_repeated", each.announces_repeated},
                                      {"announces_refused", each.announces_refused},
                                      {"announces_dropped", each.announces_dropped},
                                      {"link_requests_dropped", each.link_requests_dropped},
                                      {"waiting", each.waiting}});
  }
  const reticulum::LinkStatistics& links = mesh.links;
  const reticulum::TransferStatistics& transfers = mesh.transfers;
  return {{"interfaces", std::move(interfaces)},
          {"links", json::object{{"own", links.own},
                                 {"half_open", links.half_open},
                                 {"anonymous", links.anonymous},
                                 {"favoured", links.favoured},
                                 {"half_open_evicted", links.half_open_evicted},
                                 {"anonymous_evicted", links.anonymous_evicted},
                                 {"favoured_evicted", links.favoured_evicted},
                                 {"own_refused", links.own_refused},
                                 {"idlers_closed", links.idlers_closed}}},
          {"transfers", json::object{{"incoming", transfers.incoming},
                                     {"incoming_refused", transfers.incoming_refused},
                                     {"incoming_postponed", transfers.incoming_postponed},
                                     {"incoming_evicted", transfers.incoming_evicted},
                                     {"bombs", transfers.bombs},
                                     {"outgoing_refused", transfers.outgoing_refused}}},
          {"memory", json::object{{"unchecked", mesh.memory.unchecked},
                                  {"incoming", mesh.memory.incoming},
                                  {"outgoing", mesh.memory.outgoing}}},
          {"paths", mesh.paths},
          {"known_destinations", mesh.known_destinations}};
}

}  // namespace

json::object load_json(NodeHost& host) {
  const node::Load load = host.node().load();
  json::array bounds;
  for (const base::Shares* each : bounds_of(host)) {
    const base::BoundCounts& counts = each->counts();
    bounds.push_back(json::object{{"name", each->bound().name},
                                  {"held", counts.all()},
                                  {"whole", each->bound().whole},
                                  {"owner", counts.owner},
                                  {"guests", counts.guests},
                                  {"strangers", counts.strangers},
                                  {"most", counts.most},
                                  {"refused", counts.refused},
                                  {"dropped", counts.evicted}});
  }
  return {{"links", load.links},
          {"known_links", load.known},
          {"requests", load.requests},
          {"too_slow", load.too_slow},
          {"turned_away", load.turned_away},
          {"store_queue", host.store_queue()},
          {"bounds", std::move(bounds)},
          {"mesh", mesh_json(host.node().endpoint().statistics())}};
}

}  // namespace meshstow::io
