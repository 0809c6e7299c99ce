#include "http/apps.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "codec/hex.hpp"
#include "codec/msgpack.hpp"
#include "codec/storage_path.hpp"
#include "codec/utf8.hpp"
#include "http/app_title.hpp"
#include "http/message.hpp"
#include "http/origin.hpp"

namespace meshstow::http {
namespace {

constexpr std::int64_t kManifestVersion = 1;
constexpr std::size_t kNameLength = 40;
constexpr std::size_t kTitleLength = 80;
constexpr std::string_view kIndex = "index.html";

std::string title_of(const Bytes& page, std::string_view otherwise) {
  std::string title = title_of_page(base::as_text(page));
  if (title.empty() || title.size() > kTitleLength) return std::string(otherwise);
  return title;
}

// What stands before "localhost" in addresses of the node.
bool is_name_of_node(std::string_view name) { return name == "www" || name == kStoreName; }

bool is_index(std::string_view name) {
  return equal_ignoring_case(name, kIndex) || equal_ignoring_case(name, "index.htm");
}

std::uint64_t pieces_of(std::uint64_t size) {
  return (size + limits::kAppPiece - 1) / limits::kAppPiece;
}

Result<void> check_sources(std::string_view name, const std::vector<AppSourceFile>& files) {
  if (is_name_of_node(name))
    return fail(Errc::malformed, "the names www and store are taken by this node itself");
  if (!is_app_name(name))
    return fail(Errc::malformed, "an app's name is a-z, 0-9 and inner hyphens");
  if (files.size() > limits::kAppFiles) return fail(Errc::limit, "the app has too many files");
  std::uint64_t total = 0;
  bool has_index = false;
  for (const AppSourceFile& file : files) {
    if (!is_app_file_path(file.path))
      return fail(Errc::malformed, "the app holds a file with a bad path");
    total += file.bytes.size();
    has_index = has_index || is_index(file.path);
  }
  if (total > limits::kAppBytes) return fail(Errc::limit, "the app is too large");
  if (!has_index) return fail(Errc::malformed, "the app has no index.html at its top");
  return {};
}

Result<void> read_files(codec::MsgpackReader& reader, AppManifest& app) {
  const auto count = reader.array();
  if (!count) return fail(count.error());
  if (*count > limits::kAppFiles) return fail(Errc::corrupt, "an app with too many files");
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto pair = reader.array();
    const auto path =
        pair && *pair == 2 ? reader.string() : fail(Errc::corrupt, "not a file entry");
    const auto size = path ? reader.integer() : fail(Errc::corrupt, "not a file entry");
    if (!size || *size < 0) return fail(Errc::corrupt, "not a file entry");
    app.files.push_back({std::string(*path), static_cast<std::uint64_t>(*size)});
  }
  return {};
}

}  // namespace

std::optional<std::size_t> AppManifest::find(std::string_view path) const {
  const auto found =
      std::lower_bound(files.begin(), files.end(), path,
                       [](const AppFile& file, std::string_view p) { return file.path < p; });
  if (found == files.end() || found->path != path) return std::nullopt;
  return static_cast<std::size_t>(found - files.begin());
}

std::optional<std::size_t> AppManifest::index_of(std::string_view folder) const {
  if (const auto exact = find(std::string(folder) + std::string(kIndex))) return exact;
  const auto found = std::ranges::find_if(files, [folder](const AppFile& file) {
    return file.path.starts_with(folder) &&
           is_index(std::string_view(file.path).substr(folder.size()));
  });
  if (found == files.end()) return std::nullopt;
  return static_cast<std::size_t>(found - files.begin());
}

std::uint64_t AppManifest::bytes() const {
  std::uint64_t total = 0;
  for (const AppFile& file : files) total += file.size;
  return total;
}

bool is_app_file_path(std::string_view path) {
  // A path of the space has the same rules for names.
  const auto parsed = StoragePath::parse("/public/" + std::string(path));
  return parsed && !parsed->is_folder();
}

bool is_app_name(std::string_view name) {
  if (name.empty() || name.size() > kNameLength || is_name_of_node(name)) return false;
  if (name.front() == '-' || name.back() == '-') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<AppBundle> bundle_app(std::string_view name, std::vector<AppSourceFile> files, Now now,
                             const FixedBytes<8>& generation) {
  if (const auto checked = check_sources(name, files); !checked) return fail(checked.error());
  std::sort(files.begin(), files.end(),
            [](const AppSourceFile& a, const AppSourceFile& b) { return a.path < b.path; });
  AppBundle out;
  out.manifest = {.name = std::string(name),
                  .title = {},
                  .added = now.wall,
                  .generation = generation,
                  .files = {}};
  for (const AppSourceFile& file : files) {
    out.manifest.files.push_back({file.path, file.bytes.size()});
  }
  out.manifest.title = title_of(files[*out.manifest.index_of("")].bytes, name);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ByteView bytes = files[i].bytes;
    for (std::uint64_t piece = 0; piece < pieces_of(bytes.size()); ++piece) {
      const std::size_t offset = piece * limits::kAppPiece;
      const std::size_t size = std::min(limits::kAppPiece, bytes.size() - offset);
      out.records.push_back(
          {app_piece_key(out.manifest, i, piece), base::to_bytes(bytes.subspan(offset, size))});
    }
  }
  out.records.push_back({app_record_key(name), encode_manifest(out.manifest)});
  return out;
}

Bytes app_record_key(std::string_view name) {
  return base::to_bytes(base::as_bytes(std::string(kAppRecordPrefix) + std::string(name)));
}

Bytes app_piece_key(const AppManifest& app, std::size_t file, std::uint64_t piece) {
  const std::string text = std::string(kAppFileRecordPrefix) + app.name + "/" +
                           codec::to_hex(app.generation) + "/" + std::to_string(file) + "/" +
                           std::to_string(piece);
  return base::to_bytes(base::as_bytes(text));
}

std::vector<Bytes> app_record_keys(const AppManifest& app) {
  std::vector<Bytes> keys{app_record_key(app.name)};
  for (std::size_t i = 0; i < app.files.size(); ++i) {
    for (std::uint64_t piece = 0; piece < pieces_of(app.files[i].size); ++piece) {
      keys.push_back(app_piece_key(app, i, piece));
    }
  }
  return keys;
}

Bytes encode_manifest(const AppManifest& app) {
  codec::MsgpackWriter writer;
  writer.array(5)
      .integer(kManifestVersion)
      .string(app.title)
      .integer(base::unix_seconds(app.added));
  writer.binary(app.generation.view()).array(static_cast<std::uint32_t>(app.files.size()));
  for (const AppFile& file : app.files) {
    writer.array(2).string(file.path).unsigned_integer(file.size);
  }
  return writer.take();
}

Result<AppManifest> decode_manifest(ByteView key, ByteView value) {
  const std::string_view name = base::as_text(key);
  AppManifest app;
  if (!name.starts_with(kAppRecordPrefix)) return fail(Errc::corrupt, "not the key of an app");
  app.name = name.substr(kAppRecordPrefix.size());
  codec::MsgpackReader reader(value);
  const auto members = reader.array();
  if (!is_app_name(app.name) || !members || *members != 5) return fail(Errc::corrupt, "not an app");
  const auto version = reader.integer();
  if (!version || *version != kManifestVersion)
    return fail(Errc::corrupt, "an app of another version");
  // Earlier versions kept titles that are no UTF-8.
  const auto title = reader.next();
  if (!title || title->type != codec::MsgpackType::string) return fail(Errc::corrupt, "not an app");
  app.title = codec::with_valid_utf8(std::string(base::as_text(title->bytes)));
  const auto added = reader.integer();
  constexpr std::int64_t kEndOfTime = 253'402'300'799;  // the last second of the year 9999
  if (!added || *added < 0 || *added > kEndOfTime) return fail(Errc::corrupt, "not an app");
  app.added = base::wall_from_unix_seconds(*added);
  const auto generation = reader.binary();
  if (!generation || generation->size() != 8) return fail(Errc::corrupt, "not an app");
  app.generation = FixedBytes<8>::prefix_of(*generation);
  if (const auto read = read_files(reader, app); !read) return fail(read.error());
  return app;
}

}  // namespace meshstow::http
