#include "content_type.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace meshstow::app {
namespace {

using Row = std::pair<std::string_view, std::string_view>;
constexpr std::array kTypes = {
    Row{"txt", "text/plain; charset=utf-8"},
    Row{"md", "text/markdown; charset=utf-8"},
    Row{"html", "text/html; charset=utf-8"},
    Row{"htm", "text/html; charset=utf-8"},
    Row{"css", "text/css; charset=utf-8"},
    Row{"csv", "text/csv; charset=utf-8"},
    Row{"js", "text/javascript; charset=utf-8"},
    Row{"json", "application/json"},
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
    Row{"svg", "image/svg+xml"},
    Row{"mp3", "audio/mpeg"},
    Row{"ogg", "audio/ogg"},
    Row{"opus", "audio/ogg"},
    Row{"flac", "audio/flac"},
    Row{"mp4", "video/mp4"},
    Row{"webm", "video/webm"},
    Row{"ics", "text/calendar; charset=utf-8"},
    Row{"vcf", "text/vcard; charset=utf-8"},
};

std::string_view type_of(std::string_view name) {
  const auto slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  std::string ending(name.substr(dot + 1));
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto* row = std::ranges::find(kTypes, ending, &Row::first);
  return row == kTypes.end() ? std::string_view() : row->second;
}

}  // namespace

std::string guess_content_type(std::string_view path, std::string_view file) {
  for (std::string_view name : {path, file}) {
    if (std::string_view type = type_of(name); !type.empty()) return std::string(type);
  }
  return "application/octet-stream";
}

}  // namespace meshstow::app
