// http/apps.hpp: static web apps that the node serves, so that they need no web.
//
// An app is kept in records of the store: a manifest and its files in pieces. It is served at the
// root of its own origin, NAME.localhost; docs/HTTP.md says why. Owner: Service.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "access/token_book.hpp"
#include "base/time.hpp"

namespace meshstow::http {

inline constexpr std::string_view kAppRecordPrefix = "http/app/";
inline constexpr std::string_view kAppFileRecordPrefix = "http/appfile/";

struct AppFile {
  std::string path;  // "index.html", "js/main.js"
  std::uint64_t size = 0;
};

struct AppManifest {
  std::string name;   // a DNS label
  std::string title;  // of index.html, else the name
  WallTime added{};
  FixedBytes<8> generation;  // new with every installation: names the file records, makes the ETags
  std::vector<AppFile> files;  // sorted by path

  // The number of a file.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view path) const;
  // Of the page that a folder ("" or "docs/") shows: index.html, else one that other systems would
  // take for it (INDEX.HTM).
  [[nodiscard]] std::optional<std::size_t> index_of(std::string_view folder) const;
  [[nodiscard]] std::uint64_t bytes() const;
};

// Lower-case letters, digits and inner hyphens, at most 40; not "www" or "store", which mean the
// node.
[[nodiscard]] bool is_app_name(std::string_view name);

[[nodiscard]] bool is_app_file_path(std::string_view path);

struct AppSourceFile {
  std::string path;
  Bytes bytes;
};
struct AppBundle {
  AppManifest manifest;
  std::vector<access::StoredRecord>
      records;  // store the manifest's, which is the last, after the others
};
// Errc::malformed: a bad name or path, or no index.html at the top; Errc::limit.
[[nodiscard]] Result<AppBundle> bundle_app(std::string_view name, std::vector<AppSourceFile> files,
                                           Now now, const FixedBytes<8>& generation);

Bytes app_record_key(std::string_view name);
Bytes app_piece_key(const AppManifest& app, std::size_t file, std::uint64_t piece);
// The keys of all records of an installed app.
std::vector<Bytes> app_record_keys(const AppManifest& app);

[[nodiscard]] Bytes encode_manifest(const AppManifest& app);
[[nodiscard]] Result<AppManifest> decode_manifest(ByteView key, ByteView value);

}  // namespace meshstow::http
