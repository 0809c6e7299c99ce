#include "codec/content_type.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace meshstow::codec {
namespace {

using Row = std::pair<std::string_view, std::string_view>;
constexpr std::array kTypes = {
    Row{"txt", "text/plain; charset=utf-8"},
    Row{"md", "text/markdown; charset=utf-8"},
    Row{"html", "text/html; charset=utf-8"},
    Row{"htm", "text/html; charset=utf-8"},
    Row{"xhtml", "application/xhtml+xml"},
    Row{"css", "text/css; charset=utf-8"},
    Row{"csv", "text/csv; charset=utf-8"},
    Row{"js", "text/javascript; charset=utf-8"},
    Row{"mjs", "text/javascript; charset=utf-8"},
    Row{"json", "application/json"},
    Row{"map", "application/json"},
    Row{"webmanifest", "application/manifest+json"},
    Row{"wasm", "application/wasm"},
    Row{"geojson", "application/geo+json"},
    Row{"gpx", "application/gpx+xml"},
    Row{"xml", "application/xml"},
    Row{"pdf", "application/pdf"},
    Row{"epub", "application/epub+zip"},
    Row{"zip", "application/zip"},
    Row{"gz", "application/gzip"},
    Row{"tar", "application/x-tar"},
    Row{"png", "image/png"},
    Row{"jpg", "image/jpeg"},
    Row{"jpeg", "image/jpeg"},
    Row{"gif", "image/gif"},
    Row{"webp", "image/webp"},
    Row{"avif", "image/avif"},
    Row{"svg", "image/svg+xml"},
    Row{"ico", "image/x-icon"},
    Row{"woff", "font/woff"},
    Row{"woff2", "font/woff2"},
    Row{"ttf", "font/ttf"},
    Row{"otf", "font/otf"},
    Row{"mp3", "audio/mpeg"},
    Row{"m4a", "audio/mp4"},
    Row{"ogg", "audio/ogg"},
    Row{"opus", "audio/ogg"},
    Row{"flac", "audio/flac"},
    Row{"wav", "audio/wav"},
    Row{"mp4", "video/mp4"},
    Row{"webm", "video/webm"},
    Row{"ics", "text/calendar; charset=utf-8"},
    Row{"vcf", "text/vcard; charset=utf-8"},
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view content_type_of_ending(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  std::string ending(name.substr(dot + 1));
  std::ranges::transform(ending, ending.begin(), lower);
  const auto* row = std::ranges::find(kTypes, ending, &Row::first);
  return row == kTypes.end() ? std::string_view() : row->second;
}

}  // namespace meshstow::codec
