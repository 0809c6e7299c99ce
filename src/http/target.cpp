#include "http/target.hpp"

#include "base/limits.hpp"
#include "codec/percent.hpp"

namespace meshstow::http {
namespace {

constexpr std::string_view kPrivate = "/private";

bool begins_with_category(std::string_view decoded) {
  return decoded.starts_with("/public/") || decoded.starts_with("/shared/");
}

// A form spells a space as "+"; percent_decode leaves that alone.
Result<std::string> decode_form_text(std::string_view text) {
  if (text.find_first_of("+%") == std::string_view::npos) return codec::percent_decode(text);
  std::string spaced(text);
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return codec::percent_decode(spaced);
}

}  // namespace

Result<Target> split_target(std::string_view target) {
  if (target == "*") return Target{.path = target, .query = {}};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t slash = target.find_first_of("/?", scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
    break;
  }
  if (!target.starts_with('/')) return fail(Errc::malformed, "the request target is no path");
  if (target.find('#') != std::string_view::npos) {
    return fail(Errc::malformed, "a fragment does not belong into a request target");
  }
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) return Target{.path = target, .query = {}};
  return Target{.path = target.substr(0, question), .query = target.substr(question + 1)};
}

Result<Form> parse_form(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    if (field.empty()) continue;
    if (form.size() == limits::kFormFields) return fail(Errc::limit, "too many form fields");
    const std::size_t equals = field.find('=');
    auto name = decode_form_text(field.substr(0, equals));
    if (!name) return fail(name.error());
    auto value = decode_form_text(equals == std::string_view::npos ? std::string_view()
                                                                   : field.substr(equals + 1));
    if (!value) return fail(value.error());
    form.emplace_back(std::move(*name), std::move(*value));
  }
  return form;
}

std::optional<std::string> form_value(const Form& form, std::string_view name) {
  for (const auto& [key, value] : form) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::string encode_form(const Form& form) {
  std::string out;
  for (const auto& [key, value] : form) {
    if (!out.empty()) out += '&';
    out += codec::percent_encode(key) + '=' + codec::percent_encode(value);
  }
  return out;
}

Result<std::string> decode_path(std::string_view raw) {
  if (raw.find('%') == std::string_view::npos) return std::string(raw);
  std::string decoded;
  decoded.reserve(raw.size());
  std::string_view rest = raw;
  for (;;) {
    const std::size_t slash = rest.find('/');
    auto segment = codec::percent_decode(rest.substr(0, slash));
    if (!segment) return fail(segment.error());
    if (segment->find('/') != std::string::npos)
      return fail(Errc::malformed, "a slash inside a name");
    decoded += *segment;
    if (slash == std::string_view::npos) return decoded;
    decoded += '/';
    rest.remove_prefix(slash + 1);
  }
}

Result<StoragePath> space_path(std::string_view raw) {
  if (raw == "/") return StoragePath::root();
  auto decoded = decode_path(raw);
  if (!decoded) return fail(decoded.error());
  if (begins_with_category(*decoded)) return StoragePath::parse(*decoded);
  decoded->insert(0, kPrivate);
  return StoragePath::parse(*decoded);
}

std::optional<std::string> client_path(const StoragePath& path) {
  const std::string& text = path.text();
  if (path.category() != Category::private_) return text;
  std::string inside = text.substr(kPrivate.size());
  if (inside == "/public" || inside == "/shared" || begins_with_category(inside))
    return std::nullopt;
  return inside;
}

bool is_reserved_name(const StoragePath& path) {
  return path.text() == "/private/public" || path.text() == "/private/shared";
}

}  // namespace meshstow::http
