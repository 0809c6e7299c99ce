// storage/types.hpp: versions, tags, conditions, listings: the values that the store takes and
// gives. Source: remotestorage-http.md 1.5 to 1.7; design.md 1, 4, 6.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "codec/storage_path.hpp"

namespace meshstow::storage {

// One incarnation of one device's log of writes. A restored backup starts a new one.
using LogId = Hash16;

// Names one immutable state of one document, for ever. Text: 12 hex digits of the log, "-",
// sequence.
struct VersionId {
  LogId log;
  std::uint64_t sequence = 0;
  auto operator<=>(const VersionId&) const = default;
};
std::string to_text(const VersionId& version);

// What the writer of a version had seen of the same document: highest sequence per log. (Dotted
// version vector; sync builds on it.)
using CausalContext = std::vector<VersionId>;  // sorted by log, one entry a log

// Strong validator, opaque, without quotes on the inside: 16 characters of base64url.
class ETag {
 public:
  ETag() = default;
  explicit ETag(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string quoted() const { return '"' + text_ + '"'; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  auto operator<=>(const ETag&) const = default;

 private:
  std::string text_;
};

// RFC 9110 13.1: a list of tags, or "*".
struct EtagList {
  bool any = false;
  struct Item {
    std::string tag;
    bool weak = false;
  };
  std::vector<Item> items;
  [[nodiscard]] bool matches_strong(const std::optional<ETag>& current) const;  // If-Match
  [[nodiscard]] bool matches_weak(const std::optional<ETag>& current) const;    // If-None-Match
};
// Takes `"a", W/"b"`, `*`, a bare tag without quotes (command line) and a star in quotes, which
// means what it means without. Errc::malformed, Errc::limit.
[[nodiscard]] Result<EtagList> parse_etag_list(std::string_view header);

// RFC 9110, 13. A date counts only where the list of tags beside it is missing, and stands for one
// state of the document, as a tag does: for the one of exactly this second, if that is `dated`.
// Whether it is earlier or later says nothing, since clocks are set wrong and set back.
struct Conditions {
  std::optional<EtagList> if_match;
  std::optional<EtagList> if_none_match;
  std::optional<WallTime> if_unmodified_since = std::nullopt;
  std::optional<WallTime> if_modified_since = std::nullopt;  // reads only
};
// What a client wrote into If-Match and If-None-Match, the same for HTTP, mesh and command line. An
// If-Match that cannot be read is a tag of nobody's: nothing matches it. An If-None-Match that
// cannot be read is none where something is read, since the answer to that is the document; a write
// (`writes`) that it should have prevented is refused. Errc::malformed, Errc::limit.
[[nodiscard]] Result<Conditions> parse_conditions(std::optional<std::string_view> if_match,
                                                  std::optional<std::string_view> if_none_match,
                                                  bool writes);
// Of a document that exists.
[[nodiscard]] bool is_date_of(WallTime date, WallTime modified, bool dated);
[[nodiscard]] bool unmodified_holds(const Conditions& conditions, WallTime modified, bool dated);
[[nodiscard]] bool modified_holds(const Conditions& conditions, WallTime modified, bool dated);

struct DocumentInfo {
  ETag etag;
  std::string content_type;
  std::uint64_t size = 0;
  WallTime modified{};
  bool dated = false;  // its second is later than those of all earlier states: it names this one
  VersionId version;
  bool deleted = false;  // only in histories
};

struct FolderItem {
  std::string name;  // without the slash
  bool is_folder = false;
  ETag etag;
  std::string content_type;  // documents only, as are the next two
  std::uint64_t size = 0;
  WallTime modified{};
};

struct FolderPage {
  ETag etag;                // of the folder, read before the items: they are never older
  std::uint64_t count = 0;  // of names in the folder, on this page or not
  std::vector<FolderItem> items;
  Bytes next;  // pass as `after` for the next page; empty: that was all
};

struct WriteResult {
  ETag etag;  // PUT: of the new version; DELETE: of the version that was deleted
  VersionId version;
  bool created = false;  // PUT: there was no document before
};

// Which superseded and deleted versions are kept. Both bounds hold; counted from the supersession.
struct HistoryPolicy {
  std::chrono::days keep_for{30};
  std::uint32_t keep_versions = 10;  // of a document, besides the current one; 0: none
  static HistoryPolicy none() { return {std::chrono::days{0}, 0}; }
  static HistoryPolicy all() { return {std::chrono::days{36'500'000}, UINT32_MAX}; }
  friend bool operator==(const HistoryPolicy&, const HistoryPolicy&) = default;
};

struct ModuleUsage {
  Category category = Category::private_;
  std::string module;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;             // of current versions, before sealing
  std::optional<std::uint64_t> quota;  // of the module in all categories together
  std::uint64_t history_bytes = 0;     // of earlier versions
};

// What the owner has set for a module, in all categories together.
struct ModuleRules {
  std::string module;
  std::optional<std::uint64_t> quota;
  std::optional<HistoryPolicy> history;  // nullopt: as the space
};

struct Usage {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> quota;  // of the space; nullopt: what the disk has
  std::uint64_t space_left = 0;        // without a quota: 2^64 - 1, and the caller asks the disk
  FixedBytes<8> fingerprint;           // equal states of a space have equal fingerprints
  std::vector<ModuleUsage> modules;
  std::uint64_t history_bytes = 0;       // of earlier versions; they give way to the quota
  std::optional<HistoryPolicy> history;  // as set; nullopt: what StorageOptions say
  std::vector<ModuleRules> rules;
  // Since the store was opened: the last jump of the wall clock, below zero if back; 0: none. And
  // whether history is kept for the time being, whatever its age.
  std::chrono::seconds clock_jump{0};
  bool sweep_is_held = false;
};

// Why the store refused. `current`: the tag of the document as it is, where there is one.
enum class Refusal {
  not_found,            // no such document or version
  precondition_failed,  // If-Match / If-None-Match
  not_modified,         // GET with a matching If-None-Match
  name_clash,           // a document and a folder of one name, at any depth
  full,                 // quota or disk
  too_large,            // above limits::kDocument
  malformed,            // a folder path where a document is needed, a bad content type, ...
  corrupt,              // stored bytes fail their check; never served
  unavailable,          // the disk failed, or the store is closing
};
struct Failure {
  Refusal refusal = Refusal::unavailable;
  const char* detail = "";
  std::optional<ETag> current;
};
template <class T>
using Outcome = tl::expected<T, Failure>;

}  // namespace meshstow::storage
