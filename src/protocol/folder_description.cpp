#include "protocol/folder_description.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/limits.hpp"
#include "codec/http_date.hpp"
#include "codec/iso8601.hpp"
#include "codec/utf8.hpp"

namespace meshstow::protocol {
namespace {

namespace json = boost::json;

constexpr std::string_view kContext = "http://remotestorage.io/spec/folder-description";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

// Nearly every text is plain, and there are five of them for each of 100,000 names. A store of an
// earlier version may hold content types that are no UTF-8.
void append_quoted(std::string& out, std::string_view text) {
  if (!std::ranges::all_of(text, is_plain)) {
    out += codec::with_valid_utf8(json::serialize(json::string(text)));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

std::string text_member(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  if (found == nullptr || !found->is_string()) return {};
  return std::string(std::string_view(found->get_string()));
}

// Other servers write ETags with quotes here, against the specification.
std::string without_quotes(std::string tag) {
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"')
    return tag.substr(1, tag.size() - 2);
  return tag;
}

std::uint64_t size_member(const json::object& object) {
  const json::value* found = object.if_contains("Content-Length");
  if (found == nullptr) return 0;
  if (found->is_int64() && found->get_int64() >= 0) {
    return static_cast<std::uint64_t>(found->get_int64());
  }
  return found->is_uint64() ? found->get_uint64() : 0;
}

// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT", read by way of its other spelling.
Result<WallTime> read_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return fail(Errc::malformed, "no HTTP date");
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) {
    return fail(Errc::malformed, "no month of an HTTP date");
  }
  std::string iso(text.substr(12, 4));
  iso += month / 3 < 9 ? "-0" : "-";
  iso += std::to_string(month / 3 + 1) + "-";
  iso += text.substr(5, 2);
  iso += "T";
  iso += text.substr(17, 8);
  return codec::parse_iso8601(iso + "Z");
}

bool is_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= limits::kNameSegment &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos &&
         codec::is_valid_utf8(name);
}

Result<storage::FolderItem> read_item(std::string_view key, const json::value& value) {
  storage::FolderItem item;
  item.is_folder = key.ends_with('/');
  item.name = std::string(item.is_folder ? key.substr(0, key.size() - 1) : key);
  if (!is_name(item.name)) return fail(Errc::malformed, "an item has no valid name");
  if (!value.is_object()) return fail(Errc::malformed, "an item is not described by an object");
  const json::object& members = value.get_object();
  item.etag = storage::ETag(without_quotes(text_member(members, "ETag")));
  if (item.is_folder) return item;
  item.content_type = text_member(members, "Content-Type");
  item.size = size_member(members);
  // Some servers leave the date out or write their own; the item is no less there for it.
  auto modified = read_http_date(text_member(members, "Last-Modified"));
  if (modified) item.modified = *modified;
  return item;
}

}  // namespace

std::string FolderDescriptionWriter::begin() const {
  std::string out = "{\"@context\":";
  append_quoted(out, kContext);
  return out + ",\"items\":{";
}

std::string FolderDescriptionWriter::items(const std::vector<storage::FolderItem>& page,
                                           WallTime now) {
  constexpr std::size_t kUsualItem = 192;
  std::string out;
  out.reserve(page.size() * kUsualItem);
  for (const storage::FolderItem& item : page) {
    if (!first_) out += ',';
    first_ = false;
    append_quoted(out, item.is_folder ? item.name + '/' : item.name);
    out += ":{\"ETag\":";
    append_quoted(out, item.etag.text());
    if (!item.is_folder) {
      out += ",\"Content-Type\":";
      append_quoted(out, item.content_type);
      out += ",\"Content-Length\":" + std::to_string(item.size) + ",\"Last-Modified\":\"";
      out += codec::format_http_date(std::min(item.modified, now));
      out += '"';
    }
    out += '}';
  }
  return out;
}

std::string FolderDescriptionWriter::end() const { return "}}"; }

Result<std::vector<storage::FolderItem>> read_folder_description(std::string_view text) {
  if (text.size() > limits::kJsonMessage)
    return fail(Errc::limit, "the folder is too large to read");
  json::error_code error;
  json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  const json::value root = json::parse(text, error, {}, options);
  if (error) return fail(Errc::malformed, "the folder description is not JSON");
  const json::object* object = root.if_object();
  const json::value* items = object == nullptr ? nullptr : object->if_contains("items");
  if (items == nullptr || !items->is_object()) {
    return fail(Errc::malformed, "the folder description has no items");
  }
  std::vector<storage::FolderItem> out;
  out.reserve(items->get_object().size());
  for (const auto& [key, value] : items->get_object()) {
    auto item = read_item(key, value);
    if (!item) return fail(item.error());
    out.push_back(std::move(*item));
  }
  return out;
}

}  // namespace meshstow::protocol
