// http/target.hpp: request targets, query strings and forms; the mapping between URLs and the
// space.
//
// /storage/me/notes/x is /private/notes/x; /storage/me/public/... and /storage/me/shared/... are
// those categories. Decoding happens once, segment by segment (remotestorage-http.md N1 to N5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "codec/storage_path.hpp"

namespace meshstow::http {

struct Target {
  std::string_view path;   // raw, begins with "/" (or is "*")
  std::string_view query;  // raw, without "?"
};
// Takes origin-form, absolute-form (the authority is dropped: Host rules) and "*".
[[nodiscard]] Result<Target> split_target(std::string_view target);

// application/x-www-form-urlencoded, in order. Errc::malformed for a bad escape or invalid UTF-8,
// Errc::limit beyond limits::kFormFields.
using Form = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Result<Form> parse_form(std::string_view text);
std::optional<std::string> form_value(const Form& form, std::string_view name);  // the first
std::string encode_form(const Form& form);

// `raw`: what stands behind "/storage/me", beginning with "/", still escaped. "/" is the root.
// Errc::malformed: a rule of N5; Errc::limit: too long (414).
[[nodiscard]] Result<StoragePath> space_path(std::string_view raw);
// The decoded path as HTTP clients know it: "/notes/x", "/public/notes/x". nullopt for what HTTP
// clients cannot name: private items called "public" or "shared" in the root.
std::optional<std::string> client_path(const StoragePath& path);
// A document in the root with the name of a category: cannot be stored.
bool is_reserved_name(const StoragePath& path);
// Percent-decodes a path that names no document of the space (assets, app files): Errc::malformed
// for anything that StoragePath would refuse in a name.
[[nodiscard]] Result<std::string> decode_path(std::string_view raw);

}  // namespace meshstow::http
