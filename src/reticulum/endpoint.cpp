#include "reticulum/endpoint.hpp"

#include "reticulum/endpoint_impl.hpp"

namespace meshstow::reticulum {
namespace {

tl::unexpected<Error> no_room_to_send() {
  return fail(Errc::limit, "too much waits for peers to take it");
}

}  // namespace

Endpoint::Endpoint(base::Rng& rng, EndpointOptions options)
    : impl_(std::make_unique<Impl>(rng, options)) {}
Endpoint::~Endpoint() = default;

void Endpoint::interface_up(Now now, InterfaceId id, InterfaceInfo info) {
  impl_->interface_up(now, id, std::move(info));
}

void Endpoint::interface_down(Now now, InterfaceId id) { impl_->interface_down(now, id); }

void Endpoint::handle_packet(Now now, InterfaceId from, ByteView packet) {
  impl_->handle_packet(now, from, packet);
}

void Endpoint::handle_deadline(Now now) { impl_->handle_deadline(now); }

Output Endpoint::poll() {
  if (auto output = impl_->services.out.pop()) return std::move(*output);
  return Deadline{impl_->deadline()};
}

DestinationHash Endpoint::add_destination(Now now, const Identity& identity,
                                          std::string_view full_name, DestinationOptions options) {
  return impl_->add_destination(now, identity, full_name, std::move(options));
}

void Endpoint::set_app_data(const DestinationHash& destination, Bytes app_data) {
  if (LocalDestination* local = impl_->destinations.find(destination)) {
    local->set_app_data(std::move(app_data));
  }
}

Result<void> Endpoint::announce(Now now, const DestinationHash& destination) {
  return impl_->announce(now, destination);
}

std::uint64_t Endpoint::announced_at(const DestinationHash& destination) const {
  const LocalDestination* local = impl_->destinations.find(destination);
  return local == nullptr ? 0 : local->announced_at();
}

void Endpoint::request_path(Now now, const DestinationHash& destination) {
  impl_->path_requests.request(now.mono, destination, true);
}

std::optional<std::uint8_t> Endpoint::hops_to(const DestinationHash& destination) const {
  return impl_->paths.hops_to(destination);
}

std::optional<KnownDestination> Endpoint::known(const DestinationHash& destination) const {
  return impl_->known.find(destination);
}

Bytes Endpoint::take_known_changes(std::size_t most) { return impl_->known.pack_changes(most); }

Result<void> Endpoint::import_known(ByteView records) { return impl_->known.unpack(records); }

Result<PacketHash> Endpoint::send_packet(Now now, const DestinationHash& to,
                                         std::string_view full_name, ByteView plaintext) {
  return impl_->send_packet(now, to, full_name, plaintext);
}

// ---- Links.

Result<LinkId> Endpoint::open_link(Now now, const DestinationHash& to) {
  return impl_->open_link(now, to);
}

Result<void> Endpoint::identify(Now now, const LinkId& link, const Identity& as) {
  return impl_->links.with(link, [&](Link& open) { return open.identify(now.mono, as); });
}

Result<void> Endpoint::send_data(Now now, const LinkId& link, ByteView plaintext) {
  return impl_->links.with(link, [&](Link& open) { return open.send_data(now.mono, plaintext); });
}

Result<void> Endpoint::favour(Now now, const LinkId& link, const Hash16& party) {
  return impl_->links.favour(now.mono, link, party);
}

void Endpoint::close_link(Now now, const LinkId& link) { impl_->links.close(now.mono, link); }

void Endpoint::close_all_links(Now now) { impl_->links.close_all(now.mono); }

std::optional<PublicIdentity> Endpoint::remote_identity(const LinkId& link) const {
  const Link* open = impl_->links.find_active(link);
  return open ? open->remote_identity() : std::nullopt;
}

std::optional<LinkEstablished> Endpoint::link_info(const LinkId& link) const {
  const Link* open = impl_->links.find_active(link);
  if (!open) return std::nullopt;
  return open->info();
}

void Endpoint::accept_resources(const LinkId& link, bool accept) {
  // A link that is gone accepts nothing anyway.
  (void)impl_->links.with(link, [accept](Link& open) {
    open.transfers().set_accepts_resources(accept);
    return Result<void>{};
  });
}

// ---- Contents.

Result<SentRequest> Endpoint::send_request(Now now, const LinkId& link, std::string_view path,
                                           ByteView value, RequestOptions options) {
  return impl_->links.with(
      link, [&](Link& open) { return open.send_request(now, path, value, options); });
}

Result<SentRequest> Endpoint::send_request(Now now, const LinkId& link, StreamedRequest request,
                                           RequestOptions options) {
  return impl_->links.with(
      link, [&](Link& open) { return open.send_request(now, std::move(request), options); });
}

Result<std::optional<TransferId>> Endpoint::respond(Now now, const LinkId& link,
                                                    const RequestId& to, ByteView value,
                                                    bool compress) {
  if (!impl_->links.make_room_to_send(now.mono, link, value.size())) return no_room_to_send();
  return impl_->links.with(link,
                           [&](Link& open) { return open.respond(now.mono, to, value, compress); });
}

Result<TransferId> Endpoint::respond_streamed(Now now, const LinkId& link, const RequestId& to,
                                              std::uint64_t value_size, bool compress) {
  const auto held = std::min<std::uint64_t>(value_size, 2 * kSegmentContent);
  if (!impl_->links.make_room_to_send(now.mono, link, held)) return no_room_to_send();
  return impl_->links.with(
      link, [&](Link& open) { return open.respond_streamed(now.mono, to, value_size, compress); });
}

Result<TransferId> Endpoint::send_resource(Now now, const LinkId& link, ByteView data,
                                           std::optional<Bytes> metadata, bool compress) {
  return impl_->links.with(link, [&](Link& open) {
    return open.send_resource(now.mono, data, std::move(metadata), compress);
  });
}

Result<void> Endpoint::supply(Now now, TransferId transfer, ByteView bytes) {
  return impl_->with_transfer(
      transfer, [&](Link& open) { return open.transfers().supply(now.mono, transfer, bytes); });
}

void Endpoint::content_taken(Now now, TransferId transfer) {
  // A transfer that ended meanwhile has nothing more to fetch.
  (void)impl_->with_transfer(transfer, [&](Link& open) {
    open.transfers().taken(now.mono, transfer);
    return Result<void>{};
  });
}

void Endpoint::cancel(Now now, TransferId transfer) {
  // A transfer that ended meanwhile needs no cancelling.
  (void)impl_->with_transfer(transfer, [&](Link& open) {
    open.transfers().cancel(now.mono, transfer);
    return Result<void>{};
  });
}

Endpoint::Counters Endpoint::counters() const {
  Counters out = impl_->counted;
  out.packets_out = impl_->services.out.packets();
  out.bytes_out = impl_->services.out.bytes();
  out.links = impl_->links.size();
  out.paths = impl_->paths.size();
  out.known_destinations = impl_->known.size();
  return out;
}

Statistics Endpoint::statistics() const { return impl_->statistics(); }

}  // namespace meshstow::reticulum
