#include "serve.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/json.hpp>
#include <csignal>

#include "codec/hex.hpp"
#include "io/control_server.hpp"
#include "io/home.hpp"
#include "io/http_server.hpp"
#include "io/network_report.hpp"
#include "io/node_host.hpp"
#include "report.hpp"

namespace meshstow::app {
namespace {

// A serve that was killed may be started again at once.
constexpr std::chrono::seconds kLockPatience{3};

tl::expected<std::vector<io::Address>, std::string> read_addresses(
    const std::vector<std::string>& texts) {
  std::vector<io::Address> out;
  for (const std::string& text : texts) {
    const auto address = io::parse_address(text);
    if (!address) return tl::unexpected("'" + text + "' is no HOST:PORT");
    out.push_back(*address);
  }
  return out;
}

// The flags where there are any, else what the home's config says.
tl::expected<io::MeshOptions, std::string> mesh_options(const ServeFlags& flags,
                                                        const io::Settings& settings) {
  io::MeshOptions out = settings.mesh;
  const auto listen = read_addresses(flags.tcp_listen);
  if (!listen) return tl::unexpected(listen.error());
  const auto connect = read_addresses(flags.tcp_connect);
  if (!connect) return tl::unexpected(connect.error());
  if (!listen->empty()) out.tcp_listen = *listen;
  if (!connect->empty()) out.tcp_connect = *connect;
  if (flags.reticulum) out.reticulum = *flags.reticulum;
  return out;
}

// Nothing to serve: neither address is set.
tl::expected<io::HttpOptions, std::string> http_options(const ServeFlags& flags,
                                                        const io::Settings& settings) {
  io::HttpOptions out;
  const std::string http = flags.http.value_or(settings.http);
  if (http != "off") {
    const auto address = io::parse_address(http);
    if (!address) return tl::unexpected("'" + http + "' is no HOST:PORT for HTTP");
    out.http = *address;
  }
  if (flags.public_url) {
    auto endpoint = http::parse_public_url(*flags.public_url);
    if (!endpoint) {
      return tl::unexpected(
          "--public-url takes scheme, host and port, such as https://box.example: '" +
          *flags.public_url + "' is not such a URL, " + endpoint.error().detail);
    }
    out.public_url = std::move(*endpoint);
  }
  if (!flags.https) return out;
  const auto address = io::parse_address(*flags.https);
  if (!address) return tl::unexpected("'" + *flags.https + "' is no HOST:PORT for HTTPS");
  if (flags.certificate.empty() || flags.key.empty()) {
    return tl::unexpected<std::string>("--https needs --cert FILE and --key FILE");
  }
  out.https = *address;
  out.certificate_file = flags.certificate;
  out.key_file = flags.key;
  return out;
}

// Lives for one `serve`: builds the graph, says ready, takes it down on a signal.
class Daemon {
 public:
  explicit Daemon(const Invocation& invocation) : invocation_(invocation) {}

  int run(io::MeshOptions mesh, io::HttpOptions http, io::Home& home) {
    http_options_ = std::move(http);
    auto host = io::NodeHost::open(loop_, home);
    if (!host) return report_failure(invocation_.json, host.error());
    host_ = std::move(*host);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) close();
    });
    host_->join(mesh, [this](const tl::expected<void, std::string>& joined) {
      if (!joined) return fail_with(joined.error());
      start_serving();
    });
    loop_.run();
    return exit_code_;
  }

 private:
  void start_serving() {
    if (closing_) return;
    auto control = io::ControlServer::start(*host_);
    if (!control) return fail_with(control.error());
    control_ = std::move(*control);
    if (!http_options_.http && !http_options_.https) return say_ready();
    auto server = io::HttpServer::start(*host_, http_options_,
                                        [this](const tl::expected<void, std::string>& started) {
                                          if (closing_) return;
                                          if (!started) return fail_with(started.error());
                                          say_ready();
                                        });
    if (!server) return fail_with(server.error());
    http_ = std::move(*server);
  }

  void fail_with(const std::string& message) {
    exit_code_ = report_failure(invocation_.json, message);
    close();
  }

  void close() {
    if (std::exchange(closing_, true)) return;
    http_.reset();
    control_.reset();
    host_->close([this] {
      signals_.cancel();
      loop_.stop();
    });
  }

  void say_ready() {
    const io::NetworkStatus network = host_->network();
    boost::json::object ready = {
        {"event", "ready"},
        {"http", nullptr},
        {"address", nullptr},
        {"destination", codec::to_hex(host_->node().destination())},
        {"listening", io::listening_json(*host_)},
        {"network", io::network_json(network)},
        {"interfaces", io::interfaces_json(network)},
    };
    if (http_) {
      ready["http"] = http_->origin();
      if (const auto https = http_->https_origin()) ready["https"] = *https;
      ready["address"] = http_->address();
      ready["url"] = http_->sign_in_link();
    }
    if (!invocation_.json) {
      ready["home"] = host_->home().directory().string();
      ready["program"] =
          invocation_.program + (invocation_.home ? " --home " + *invocation_.home : "");
    }
    // Nobody has to listen to a node for it to be one.
    (void)report_result(invocation_.json, "serve", boost::json::serialize(ready));
  }

  const Invocation& invocation_;
  boost::asio::io_context loop_{1};
  boost::asio::signal_set signals_{loop_, SIGINT, SIGTERM};
  std::unique_ptr<io::NodeHost> host_;
  std::unique_ptr<io::ControlServer> control_;
  io::HttpOptions http_options_;
  std::unique_ptr<io::HttpServer> http_;
  bool closing_ = false;
  int exit_code_ = kOk;
};

}  // namespace

int serve(const Invocation& invocation) {
  auto home = io::Home::open(io::Home::choose(invocation.home));
  if (!home) return report_failure(invocation.json, home.error());
  auto mesh = mesh_options(invocation.serve, home->settings());
  if (!mesh) {
    report_failure(invocation.json, mesh.error());
    return kUsage;
  }
  auto http = http_options(invocation.serve, home->settings());
  if (!http) {
    report_failure(invocation.json, http.error());
    return kUsage;
  }
  if (auto locked = home->lock(kLockPatience); !locked) {
    return report_failure(invocation.json, locked.error());
  }
  for (const std::string& warning : home->settings().warnings) io::log_warning(warning);
  return Daemon(invocation).run(std::move(*mesh), std::move(*http), *home);
}

}  // namespace meshstow::app
