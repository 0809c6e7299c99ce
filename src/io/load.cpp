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
          {"bounds", std::move(bounds)}};
}

}  // namespace meshstow::io
