#include "protocol/announcement.hpp"

#include <boost/json.hpp>
#include <cmath>

#include "codec/hex.hpp"
#include "codec/iso8601.hpp"
#include "codec/json.hpp"
#include "codec/msgpack.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;

constexpr std::size_t kWithFingerprint = 4;
constexpr std::size_t kAppData = 1024;     // bytes; a packet holds fewer
constexpr std::size_t kCapabilities = 16;  // count
constexpr std::size_t kCapability = 64;    // bytes
constexpr double kLatest = 1LL << 40;      // seconds that fit a WallTime, before and after 1970

Result<WallTime> time_from(const codec::MsgpackToken& token) {
  const bool is_integer = token.type == codec::MsgpackType::integer && !token.above_int64;
  const bool is_float = token.type == codec::MsgpackType::float64;
  const double seconds = is_integer ? static_cast<double>(token.integer) : token.float64;
  // Written so that a NaN is refused too.
  if (!(is_integer || is_float) || !(std::abs(seconds) < kLatest)) {
    return fail(Errc::malformed, "the announcement has no readable time");
  }
  return base::wall_from_unix_seconds(static_cast<std::int64_t>(seconds));
}

Result<std::vector<std::string>> read_capabilities(codec::MsgpackReader& reader) {
  const auto count = reader.array();
  if (!count) return fail(count.error());
  if (*count > kCapabilities)
    return fail(Errc::limit, "the announcement has too many capabilities");
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto text = reader.string();
    if (!text) return fail(text.error());
    if (text->size() > kCapability)
      return fail(Errc::limit, "the name of a capability is too long");
    out.emplace_back(*text);
  }
  return out;
}

// Newer nodes may append elements: those behind the fingerprint are skipped.
Result<Announcement> read_array(ByteView app_data) {
  codec::MsgpackReader reader(app_data);
  const auto count = reader.array();
  if (!count || *count < kWithFingerprint - 1) return fail(Errc::malformed, "not an announcement");
  Announcement out;
  auto capabilities = read_capabilities(reader);
  if (!capabilities) return fail(capabilities.error());
  out.capabilities = std::move(*capabilities);
  const auto space = reader.next();
  if (!space || space->type != codec::MsgpackType::integer ||
      (space->integer < 0 && !space->above_int64)) {
    return fail(Errc::malformed, "the announcement has no readable space");
  }
  out.space_available = static_cast<std::uint64_t>(space->integer);
  const auto time_token = reader.next();
  if (!time_token) return fail(time_token.error());
  const auto time = time_from(*time_token);
  if (!time) return fail(time.error());
  out.timestamp = *time;
  for (std::uint32_t i = kWithFingerprint - 1; i < *count; ++i) {
    const auto value = reader.raw_value();
    if (!value) return fail(value.error());
    if (i >= kWithFingerprint) continue;
    const auto bytes = codec::MsgpackReader(*value).binary();
    if (bytes) out.fingerprint = FixedBytes<8>::from(*bytes);
  }
  if (!reader.at_end()) return fail(Errc::malformed, "bytes follow the announcement");
  return out;
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr || !found->is_string()) return {};
  return {found->get_string().data(), found->get_string().size()};
}

Result<std::vector<std::string>> capabilities_of(const json::object& object) {
  const json::value* found = object.if_contains("capabilities");
  if (found == nullptr || !found->is_array()) {
    return fail(Errc::malformed, "the announcement has no capabilities");
  }
  if (found->get_array().size() > kCapabilities) {
    return fail(Errc::limit, "the announcement has too many capabilities");
  }
  std::vector<std::string> out;
  for (const json::value& each : found->get_array()) {
    if (!each.is_string()) return fail(Errc::malformed, "a capability is not text");
    if (each.get_string().size() > kCapability) {
      return fail(Errc::limit, "the name of a capability is too long");
    }
    out.emplace_back(each.get_string());
  }
  return out;
}

Result<Announcement> read_json(std::string_view text) {
  const auto value = codec::parse_strict_json(text);
  if (!value) return fail(value.error());
  const json::object& object = value->get_object();
  if (text_of(object, "type") != "storage_node")
    return fail(Errc::malformed, "not an announcement");
  Announcement out;
  auto capabilities = capabilities_of(object);
  if (!capabilities) return fail(capabilities.error());
  out.capabilities = std::move(*capabilities);
  const json::value* space = object.if_contains("space_available");
  if (space == nullptr || !space->is_int64() || space->get_int64() < 0) {
    return fail(Errc::malformed, "the announcement has no readable space");
  }
  out.space_available = static_cast<std::uint64_t>(space->get_int64());
  // The seed's own code writes local time without a zone; read as UTC it is good enough to be
  // shown.
  const std::string stamp(text_of(object, "timestamp"));
  auto time = codec::parse_iso8601(stamp);
  if (!time) time = codec::parse_iso8601(stamp + "Z");
  if (!time) return fail(Errc::malformed, "the announcement has no readable time");
  out.timestamp = *time;
  if (const auto print = codec::fixed_from_hex<8>(text_of(object, "fingerprint"))) {
    out.fingerprint = *print;
  }
  return out;
}

}  // namespace

Bytes write_announcement(const Announcement& announcement) {
  codec::MsgpackWriter writer;
  writer.array(announcement.fingerprint ? kWithFingerprint : kWithFingerprint - 1);
  writer.array(static_cast<std::uint32_t>(announcement.capabilities.size()));
  for (const std::string& each : announcement.capabilities) writer.string(each);
  writer.unsigned_integer(announcement.space_available);
  writer.integer(base::unix_seconds(announcement.timestamp));
  if (announcement.fingerprint) writer.binary(announcement.fingerprint->view());
  return writer.take();
}

Result<Announcement> read_announcement(ByteView app_data) {
  if (app_data.size() > kAppData) return fail(Errc::limit, "the announcement is too long");
  const std::string_view text = base::as_text(app_data);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '{') return read_json(text);
  return read_array(app_data);
}

}  // namespace meshstow::protocol
