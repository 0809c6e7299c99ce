#include "storage/types.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/hex.hpp"

namespace meshstow::storage {
namespace {

constexpr std::size_t kLogBytesInText = 6;

bool is_tag_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7F && byte != '"';
}

void skip_blanks(std::string_view& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

// Reads one tag off the front of `text`, which is not empty.
Result<EtagList::Item> read_tag(std::string_view& text) {
  EtagList::Item item;
  if (text.starts_with("W/\"")) {
    item.weak = true;
    text.remove_prefix(2);
  }
  const bool quoted = text.front() == '"';
  if (quoted) text.remove_prefix(1);
  std::size_t size = 0;
  while (size < text.size() && is_tag_character(text[size]) && (quoted || text[size] != ',')) {
    ++size;
  }
  item.tag = text.substr(0, size);
  text.remove_prefix(size);
  if (quoted) {
    if (!text.starts_with('"')) return fail(Errc::malformed, "an entity tag is not closed");
    text.remove_prefix(1);
  } else if (item.tag.empty()) {
    return fail(Errc::malformed, "an entity tag is empty");
  }
  return item;
}

}  // namespace

std::string to_text(const VersionId& version) {
  return codec::to_hex(version.log.view().first(kLogBytesInText)) + "-" +
         std::to_string(version.sequence);
}

bool EtagList::matches_strong(const std::optional<ETag>& current) const {
  if (!current) return false;
  if (any) return true;
  return std::any_of(items.begin(), items.end(),
                     [&](const Item& item) { return !item.weak && item.tag == current->text(); });
}

bool EtagList::matches_weak(const std::optional<ETag>& current) const {
  if (!current) return false;
  if (any) return true;
  return std::any_of(items.begin(), items.end(),
                     [&](const Item& item) { return item.tag == current->text(); });
}

Result<EtagList> parse_etag_list(std::string_view header) {
  EtagList list;
  skip_blanks(header);
  if (const std::size_t last = header.find_last_not_of(" \t"); last != std::string_view::npos) {
    header = header.substr(0, last + 1);
  }
  if (header == "*") {
    list.any = true;
    return list;
  }
  while (!header.empty()) {
    if (header.front() == ',') {  // RFC 9110 5.6.1: empty elements are legal and mean nothing
      header.remove_prefix(1);
      skip_blanks(header);
      continue;
    }
    const bool quoted = header.front() != '*';
    auto item = read_tag(header);
    if (!item) return fail(item.error());
    if (item->tag == "*" && !item->weak) {
      if (!quoted) return fail(Errc::malformed, "a star stands among entity tags");
      list.any = true;
    }
    if (list.items.size() == limits::kEtagsInCondition) {
      return fail(Errc::limit, "too many entity tags in a condition");
    }
    list.items.push_back(std::move(*item));
    skip_blanks(header);
    if (!header.empty() && header.front() != ',') {
      return fail(Errc::malformed, "entity tags are not separated by commas");
    }
  }
  if (list.items.empty()) return fail(Errc::malformed, "a condition has no entity tag");
  return list;
}

Result<Conditions> parse_conditions(std::optional<std::string_view> if_match,
                                    std::optional<std::string_view> if_none_match, bool writes) {
  Conditions out;
  if (if_match) out.if_match = parse_etag_list(*if_match).value_or(EtagList{});
  if (!if_none_match) return out;
  auto list = parse_etag_list(*if_none_match);
  if (list) {
    out.if_none_match = std::move(*list);
  } else if (writes) {
    return fail(list.error());
  }
  return out;
}

bool is_date_of(WallTime date, WallTime modified, bool dated) {
  return dated && std::chrono::floor<std::chrono::seconds>(modified) == date;
}

bool unmodified_holds(const Conditions& conditions, WallTime modified, bool dated) {
  const auto& since = conditions.if_unmodified_since;
  return conditions.if_match || !since || is_date_of(*since, modified, dated);
}

bool modified_holds(const Conditions& conditions, WallTime modified, bool dated) {
  const auto& since = conditions.if_modified_since;
  return conditions.if_none_match || !since || !is_date_of(*since, modified, dated);
}

}  // namespace meshstow::storage
