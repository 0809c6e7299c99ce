#include "http/pages.hpp"

#include "base/check.hpp"
#include "codec/printable.hpp"
#include "http/assets.hpp"

namespace meshstow::http {
namespace {

const std::string& value_of(PageValues values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return value;
  }
  base::check_failed("a page names a value that it is not given", __FILE__, __LINE__);
}

}  // namespace

const Asset* find_asset(std::string_view name) {
  for (const Asset& asset : embedded_assets()) {
    if (asset.name == name) return &asset;
  }
  return nullptr;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string text_html(std::string_view text) { return escape_html(codec::printable(text)); }

std::string render_page(std::string_view asset, PageValues values) {
  const Asset* page = find_asset(asset);
  MESHSTOW_CHECK(page != nullptr);
  std::string out;
  std::string_view rest = page->bytes;
  for (std::size_t open = rest.find("{{"); open != std::string_view::npos; open = rest.find("{{")) {
    out += rest.substr(0, open);
    rest.remove_prefix(open);
    const bool raw = rest.starts_with("{{{");
    const std::string_view end = raw ? "}}}" : "}}";
    const std::size_t close = rest.find(end);
    MESHSTOW_CHECK(close != std::string_view::npos);
    const std::string_view name = rest.substr(end.size(), close - end.size());
    const std::string& value = value_of(values, name);
    out += raw ? value : text_html(value);
    rest.remove_prefix(close + end.size());
  }
  out += rest;
  return out;
}

std::string describe_scope(const access::Scope& scope) {
  const bool writes = scope.right() == access::Operation::write;
  const std::string verb = writes ? "Read and change " : "Read ";
  if (scope.subject() == "*") return verb + "everything you store here, of all apps";
  return verb + "your \xE2\x80\x9C" + scope.subject() + "\xE2\x80\x9D";
}

std::string message_page(std::string_view title, std::string_view text) {
  return render_page("message.html", {{"title", std::string(title)}, {"text", std::string(text)}});
}

}  // namespace meshstow::http
