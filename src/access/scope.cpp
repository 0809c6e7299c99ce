#include "access/scope.hpp"

#include "base/limits.hpp"
#include "codec/utf8.hpp"

namespace meshstow::access {
namespace {

constexpr std::string_view kReadPrefix = "storage:read:";
constexpr std::string_view kWritePrefix = "storage:write:";
constexpr std::string_view kEverything = "*";

// Spaces separate scopes and colons their parts, so that neither can stand in a module's name.
bool separates(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == ':' || c == '/';
}

Result<void> check_module(std::string_view module) {
  if (module == kEverything) return {};
  if (module.empty()) return fail(Errc::malformed, "a scope names no module");
  if (module.size() > limits::kNameSegment) return fail(Errc::limit, "module name too long");
  if (module == "." || module == ".." || module == "public") {
    return fail(Errc::malformed, "not a name that a module can have");
  }
  if (std::any_of(module.begin(), module.end(), separates) || !codec::is_valid_utf8(module)) {
    return fail(Errc::malformed, "a module name holds a character that it cannot have");
  }
  return {};
}

Result<Scope> parse_path_scope(Operation right, std::string_view path) {
  const auto parsed = StoragePath::parse(path);
  if (!parsed) return fail(parsed.error());
  return Scope::path_scope(right, *parsed);
}

// Is `path` the folder "/<category>/<module>/", or below it?
bool in_module(std::string_view path, std::string_view category_folder, std::string_view module) {
  if (!path.starts_with(category_folder)) return false;
  path.remove_prefix(category_folder.size());
  return path.size() > module.size() && path.starts_with(module) && path[module.size()] == '/';
}

bool module_permits(std::string_view module, const StoragePath& path) {
  if (module == kEverything) return true;
  if (in_module(path.text(), "/public/", module)) return true;
  // An HTTP app that asks for "shared" means the paths that it sees below /shared/.
  if (module == "shared") return path.category() == Category::shared;
  return in_module(path.text(), "/private/", module);
}

bool path_permits(std::string_view subject, std::string_view path) {
  return subject.ends_with('/') ? path.starts_with(subject) : path == subject;
}

}  // namespace

Result<Scope> Scope::parse(std::string_view text) {
  if (text.starts_with(kReadPrefix)) {
    return parse_path_scope(Operation::read, text.substr(kReadPrefix.size()));
  }
  if (text.starts_with(kWritePrefix)) {
    return parse_path_scope(Operation::write, text.substr(kWritePrefix.size()));
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Errc::malformed, "a scope is neither storage:... nor <module>:r or <module>:rw");
  }
  const std::string_view level = text.substr(colon + 1);
  if (level != "r" && level != "rw") {
    return fail(Errc::malformed, "the level of a scope is neither r nor rw");
  }
  return module_scope(text.substr(0, colon), level == "r" ? Operation::read : Operation::write);
}

Result<Scope> Scope::path_scope(Operation right, const StoragePath& path) {
  return Scope(true, right, path.text());
}

Result<Scope> Scope::module_scope(std::string_view module_or_star, Operation right) {
  if (const auto checked = check_module(module_or_star); !checked) return fail(checked.error());
  return Scope(false, right, std::string(module_or_star));
}

std::string Scope::text() const {
  if (!is_path_) return subject_ + (right_ == Operation::read ? ":r" : ":rw");
  return std::string(right_ == Operation::read ? kReadPrefix : kWritePrefix) + subject_;
}

bool Scope::permits(Operation operation, const StoragePath& path) const {
  if (operation == Operation::write && right_ == Operation::read) return false;
  return is_path_ ? path_permits(subject_, path.text()) : module_permits(subject_, path);
}

Result<std::vector<Scope>> parse_scopes(std::string_view text) {
  std::vector<Scope> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      if (out.size() == limits::kTokenScopes) return fail(Errc::limit, "too many scopes");
      auto scope = Scope::parse(text.substr(0, end));
      if (!scope) return fail(scope.error());
      out.push_back(std::move(*scope));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (out.empty()) return fail(Errc::malformed, "no scope given");
  return out;
}

std::string to_text(std::span<const Scope> scopes) {
  std::string out;
  for (const Scope& scope : scopes) {
    if (!out.empty()) out += ' ';
    out += scope.text();
  }
  return out;
}

}  // namespace meshstow::access
