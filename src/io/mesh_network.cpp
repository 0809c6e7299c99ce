#include "io/mesh_network.hpp"

#include "io/log.hpp"

namespace meshstow::io {
namespace {

std::string joined_by_commas(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

}  // namespace

MeshNetwork::MeshNetwork(Interfaces& interfaces, ReticulumSetup setup, std::string home_config)
    : interfaces_(interfaces),
      setup_(std::move(setup)),
      home_config_(std::move(home_config)),
      plan_(setup_.shares()),
      open_(setup_.interfaces.size()) {}

tl::expected<std::unique_ptr<MeshNetwork>, std::string> MeshNetwork::open(
    Interfaces& interfaces, const MeshOptions& options, std::string home_config) {
  auto setup = read_reticulum_setup(options.reticulum);
  if (!setup) return tl::unexpected(setup.error());
  std::unique_ptr<MeshNetwork> out(
      new MeshNetwork(interfaces, std::move(*setup), std::move(home_config)));
  if (auto opened = out->open_own(options); !opened) return tl::unexpected(opened.error());
  return out;
}

tl::expected<void, std::string> MeshNetwork::open_own(const MeshOptions& options) {
  for (const Address& address : options.tcp_listen) {
    const auto bound = interfaces_.listen({"tcp_listen", true, address});
    if (!bound) return tl::unexpected(bound.error());
  }
  for (const Address& address : options.tcp_connect) {
    if (address.host.empty() || address.port == 0) {
      return tl::unexpected("cannot connect to " + to_text(address) +
                            ": it needs a host and a port");
    }
    interfaces_.open({"tcp_connect", false, address});
  }
  for (const InterfaceConfig& config : options.interfaces) interfaces_.open(config);
  own_ = options.tcp_listen.size() + options.tcp_connect.size() + options.interfaces.size();
  return {};
}

void MeshNetwork::start(std::function<void()> settled) {
  settled_ = std::move(settled);
  interfaces_.start();
  if (plan_.state() == State::unshared) {
    follow_plan();
    return settle();
  }
  interfaces_.join_shared(
      setup_.instance,
      {[this] { instance_missing(); }, [this] { instance_joined(); }, [this] { instance_lost(); }});
}

void MeshNetwork::instance_missing() {
  const bool is_news = plan_.state() != State::missing;
  plan_.instance_missing();
  follow_plan();
  if (is_news && !settled_) {
    const auto closed = names(false);
    log_notice("no shared instance is back" +
               (closed.empty() ? "" : "; closed until one is: " + joined_by_commas(closed)));
  }
  settle();
}

void MeshNetwork::instance_joined() {
  plan_.instance_joined();
  follow_plan();
  if (!settled_) log_notice("joined the shared instance " + to_text(setup_.instance));
  settle();
}

void MeshNetwork::instance_lost() {
  plan_.instance_lost();
  log_warning("the shared instance " + to_text(setup_.instance) +
              " is gone; it is joined again when it is back");
  follow_plan();
}

void MeshNetwork::follow_plan() {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const bool wanted = plan_.opens(setup_.interfaces[i].listens);
    if (wanted && !open_[i]) open_[i] = interfaces_.open(setup_.interfaces[i]);
    if (!wanted && open_[i]) interfaces_.close(*std::exchange(open_[i], std::nullopt));
  }
  if (plan_.state() == State::unshared || plan_.state() == State::missing) warn_of_unsupported();
}

void MeshNetwork::warn_of_unsupported() {
  if (std::exchange(warned_, true)) return;
  for (const std::string& warning : setup_.warnings) {
    log_warning(setup_.file.string() + ": " + warning);
  }
}

void MeshNetwork::settle() {
  if (auto call = std::exchange(settled_, nullptr)) call();
}

// ---- How things stand.

NetworkStatus MeshNetwork::status() const {
  NetworkStatus out;
  out.config = setup_.file.string();
  const bool joined = plan_.state() == State::joined;
  const bool shared = plan_.state() != State::unshared;
  if (shared) out.instance = to_text(setup_.instance);
  out.state = joined ? "joined" : shared ? "waiting" : "own";
  out.summary = summary();
  out.interfaces = interfaces_.status();
  if (!joined) out.left_closed = names(false);
  out.ways_out = ways_out();
  return out;
}

std::vector<std::string> MeshNetwork::names(bool that_are_open) const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    if (open_[i].has_value() == that_are_open) out.push_back(to_text(setup_.interfaces[i]));
  }
  return out;
}

std::string MeshNetwork::summary() const {
  switch (plan_.state()) {
    case State::joined: return "the shared instance " + to_text(setup_.instance);
    case State::looking: return "looking for the shared instance " + to_text(setup_.instance);
    case State::missing:
      return "no shared instance yet; " + to_text(setup_.instance) + " is joined when it runs";
    case State::unshared: break;
  }
  const std::string own = own_ == 0 ? "none" : "interfaces of its own";
  if (setup_.file.empty()) return own + ", without a Reticulum config";
  if (open_.empty()) return own + ", and none in " + setup_.file.string();
  return "the interfaces of " + setup_.file.string() + " (share_instance = no)";
}

std::vector<std::string> MeshNetwork::ways_out() const {
  const bool alone = own_ == 0 && names(true).empty();
  const bool waits = plan_.state() == State::looking || plan_.state() == State::missing;
  std::vector<std::string> out;
  if (waits && (alone || !names(false).empty())) {
    out.emplace_back("start rnsd");
    if (!open_.empty()) {
      out.push_back("set share_instance = no in " + setup_.file.string() + " and start again");
    }
  } else if (plan_.state() != State::unshared || !alone) {
    return out;
  } else if (setup_.file.empty()) {
    out.emplace_back("start rnsd, then this again");
    out.emplace_back("give serve --tcp-connect HOST:PORT or --tcp-listen HOST:PORT");
  } else {
    out.push_back("enable interfaces in " + setup_.file.string() + " and start again");
  }
  out.push_back("put interfaces into " + home_config_ + " and start again");
  return out;
}

}  // namespace meshstow::io
