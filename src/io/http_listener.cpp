#include "io/http_listener.hpp"

#include <algorithm>
#include <ifaddrs.h>
#include <memory>
#include <unistd.h>

namespace meshstow::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

std::string host_text(const asio::ip::address& address) {
  return address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
}

tl::expected<std::vector<asio::ip::address>, std::string> resolve(asio::io_context& loop,
                                                                  const std::string& host) {
  if (host.empty()) return std::vector<asio::ip::address>{asio::ip::address_v6::any()};
  // Named here, so that it does not depend on the machine's hosts file.
  if (host == "localhost") {
    return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(),
                                          asio::ip::address_v6::loopback()};
  }
  error_code error;
  Tcp::resolver resolver(loop);
  const auto found = resolver.resolve(host, "", error);
  if (error) return tl::unexpected("cannot find the address of " + host + ": " + error.message());
  std::vector<asio::ip::address> out;
  for (const auto& entry : found) {
    const auto address = entry.endpoint().address();
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  }
  return out;
}

tl::expected<Tcp::acceptor, error_code> listen(asio::io_context& loop,
                                               const asio::ip::address& address,
                                               std::uint16_t port) {
  Tcp::acceptor acceptor(loop);
  const Tcp::endpoint endpoint(address, port);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error && address.is_v6()) {
    acceptor.set_option(asio::ip::v6_only(!address.is_unspecified()), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (!error) acceptor.non_blocking(true, error);
  if (error) return tl::unexpected(error);
  return acceptor;
}

// All names of this machine, for a server on all its addresses.
std::vector<std::string> names_of_machine() {
  std::vector<std::string> names{"localhost"};
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) == 0 && host[0] != 0) {
    names.emplace_back(host);
    names.push_back(std::string(host) + ".local");
  }
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return names;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> guard(list, &freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    if (at->ifa_addr->sa_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
      names.push_back(asio::ip::address_v4(ntohl(in->sin_addr.s_addr)).to_string());
    } else if (at->ifa_addr->sa_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
      asio::ip::address_v6::bytes_type bytes;
      std::copy_n(in->sin6_addr.s6_addr, bytes.size(), bytes.begin());
      names.push_back(host_text(asio::ip::address_v6(bytes)));
    }
  }
  return names;
}

http::Endpoint endpoint_for(const Address& address, const std::vector<asio::ip::address>& bound,
                            std::uint16_t port, bool secure,
                            const std::vector<std::string>& certificate_names) {
  http::Endpoint endpoint;
  endpoint.secure = secure;
  endpoint.port = port;
  const bool everywhere =
      std::any_of(bound.begin(), bound.end(), [](const auto& a) { return a.is_unspecified(); });
  const bool loopback =
      std::all_of(bound.begin(), bound.end(), [](const auto& a) { return a.is_loopback(); });
  endpoint.names = certificate_names;
  if (everywhere) {
    const std::vector<std::string> machine = names_of_machine();
    endpoint.names.insert(endpoint.names.end(), machine.begin(), machine.end());
  }
  for (const auto& a : bound) endpoint.names.push_back(host_text(a));
  if (loopback) endpoint.names.insert(endpoint.names.end(), {"localhost", "127.0.0.1", "[::1]"});
  error_code error;
  const auto number = asio::ip::make_address(address.host, error);
  const auto not_local = std::ranges::find_if(
      endpoint.names, [](const std::string& name) { return name != "localhost"; });
  endpoint.host = everywhere ? (not_local == endpoint.names.end() ? "localhost" : *not_local)
                  : error    ? address.host
                             : host_text(number);
  // Two names of one place are two origins: documents in one, the dashboard in the other. Under TLS
  // every name stands for all, since other devices may know only one.
  if (loopback && !secure) {
    endpoint.dashboard = endpoint.host == "127.0.0.1" ? "localhost" : "127.0.0.1";
  }
  // Apps need names below one of ours; a number has none.
  if (!loopback && error) endpoint.app_suffix = endpoint.host;
  return endpoint;
}

// Documents and the dashboard are at two names of loopback, and browsers may look for each under
// either address: nobody else may answer there.
std::vector<asio::ip::address> with_loopback(std::vector<asio::ip::address> addresses) {
  for (const asio::ip::address& both : {asio::ip::address(asio::ip::address_v4::loopback()),
                                        asio::ip::address(asio::ip::address_v6::loopback())}) {
    if (std::ranges::find(addresses, both) == addresses.end()) addresses.push_back(both);
  }
  return addresses;
}

// Opens them all on one port, and tells which could be: a machine without IPv6 still has its other
// loopback address; a port in use is an error.
tl::expected<std::vector<asio::ip::address>, std::string> bind_all(
    asio::io_context& loop, const std::vector<asio::ip::address>& addresses, const Address& asked,
    HttpBinding& binding) {
  std::uint16_t port = asked.port;
  std::vector<asio::ip::address> bound;
  error_code last;
  for (const auto& at : addresses) {
    auto acceptor = listen(loop, at, port);
    if (!acceptor) {
      last = acceptor.error();
      if (last != asio::error::address_in_use) continue;
      return tl::unexpected("cannot listen for HTTP on " + to_text(Address{at.to_string(), port}) +
                            ": " + last.message());
    }
    port = acceptor->local_endpoint().port();
    bound.push_back(at);
    binding.acceptors.push_back(std::move(*acceptor));
  }
  if (!bound.empty()) return bound;
  return tl::unexpected("cannot listen for HTTP on " + to_text(asked) + ": " + last.message());
}

}  // namespace

tl::expected<HttpBinding, std::string> bind_http(
    asio::io_context& loop, const Address& address, bool secure,
    const std::vector<std::string>& certificate_names) {
  const auto addresses = resolve(loop, address.host);
  if (!addresses) return tl::unexpected(addresses.error());
  const bool loopback = std::all_of(addresses->begin(), addresses->end(),
                                    [](const auto& a) { return a.is_loopback(); });
  if (!secure && !loopback) {
    return tl::unexpected(
        "will not serve plain HTTP on " + to_text(address) +
        ": others on the network could read tokens and documents. Use localhost, or "
        "--https with a certificate and key.");
  }
  HttpBinding binding;
  auto bound = bind_all(loop, secure ? *addresses : with_loopback(*addresses), address, binding);
  if (!bound) return tl::unexpected(bound.error());
  const std::uint16_t port = binding.acceptors.front().local_endpoint().port();
  binding.endpoint = endpoint_for(address, *bound, port, secure, certificate_names);
  return binding;
}

}  // namespace meshstow::io
