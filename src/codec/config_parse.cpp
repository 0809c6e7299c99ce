#include <functional>
#include <set>

#include "base/limits.hpp"
#include "codec/config.hpp"
#include "codec/utf8.hpp"

namespace meshstow::codec {
namespace {

template <class T>
using Parsed = tl::expected<T, const char*>;  // the error: what is wrong with the line

tl::unexpected<const char*> wrong(const char* what) { return tl::unexpected<const char*>(what); }

constexpr std::string_view kBlank = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_quote(char c) { return c == '"' || c == '\''; }

bool is_end_or_comment(std::string_view text) { return text.empty() || text.front() == '#'; }

// Takes a quoted text off the front of `rest`, which starts with a quote.
Parsed<std::string> take_quoted(std::string_view& rest) {
  if (rest.starts_with(R"(""")") || rest.starts_with("'''")) {
    return wrong("values of several lines are not supported");
  }
  const std::size_t close = rest.find(rest.front(), 1);
  if (close == std::string_view::npos) return wrong("a quote is not closed");
  std::string out(rest.substr(1, close - 1));
  rest = trimmed(rest.substr(close + 1));
  return out;
}

struct Value {
  std::string text;
  std::vector<std::string> items;
  bool is_list = false;
};

// Takes one item of a list off the front of `rest`, which then starts with a comma or ends.
Parsed<std::string> take_item(std::string_view& rest) {
  if (is_quote(rest.front())) {
    auto item = take_quoted(rest);
    if (item && !is_end_or_comment(rest) && rest.front() != ',') {
      return wrong("text after a closing quote");
    }
    return item;
  }
  const std::size_t end = std::min(rest.find_first_of(",#"), rest.size());
  std::string item(trimmed(rest.substr(0, end)));
  rest = rest.substr(end);
  if (item.empty()) return wrong("an item of the list is empty");
  return item;
}

Parsed<Value> parse_value(std::string_view rest) {
  Value out;
  const std::string_view whole = rest;
  if (rest.starts_with(',')) {  // a lone comma is the empty list
    out.is_list = true;
    rest = trimmed(rest.substr(1));
    if (!is_end_or_comment(rest)) return wrong("an item of the list is empty");
  }
  while (!is_end_or_comment(rest)) {
    auto item = take_item(rest);
    if (!item) return wrong(item.error());
    out.items.push_back(std::move(*item));
    if (!rest.starts_with(',')) break;
    out.is_list = true;
    rest = trimmed(rest.substr(1));
  }
  if (out.is_list) {
    out.text = trimmed(whole.substr(0, whole.size() - rest.size()));
  } else if (!out.items.empty()) {
    out.text = out.items.front();
  }
  return out;
}

class ConfigParser {
 public:
  Parsed<void> line(std::string_view text) {
    if (!is_valid_utf8(text)) return wrong("the text is not UTF-8");
    text = trimmed(text);
    if (is_end_or_comment(text)) return {};
    return text.front() == '[' ? header(text) : assignment(text);
  }

  ConfigSection finish() {
    close_to(1);
    return std::move(open_.front().section);
  }

 private:
  // A section whose end has not been seen, and the names in it.
  struct Open {
    ConfigSection section;
    std::set<std::string, std::less<>> subsections;
  };

  void close_to(std::size_t count) {
    while (open_.size() > count) {
      ConfigSection done = std::move(open_.back().section);
      open_.pop_back();
      open_.back().section.subsections.push_back(std::move(done));
    }
  }

  Parsed<std::string> section_name(std::string_view& rest) const {
    if (rest.empty()) return wrong("a section has no closing bracket");
    if (is_quote(rest.front())) return take_quoted(rest);
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return wrong("a section has no closing bracket");
    std::string name(trimmed(rest.substr(0, end)));
    rest = rest.substr(end);
    return name;
  }

  // Takes as many of `bracket` off the front as there are, with blanks among them.
  static std::size_t take_brackets(std::string_view& rest, char bracket) {
    std::size_t count = 0;
    while (rest.starts_with(bracket)) {
      ++count;
      rest = trimmed(rest.substr(1));
    }
    return count;
  }

  Parsed<void> header(std::string_view rest) {
    const std::size_t depth = take_brackets(rest, '[');
    auto name = section_name(rest);
    if (!name) return wrong(name.error());
    if (take_brackets(rest, ']') != depth) return wrong("opening and closing brackets differ");
    if (!is_end_or_comment(rest)) return wrong("text after the name of a section");
    if (name->empty()) return wrong("a section has no name");
    if (depth > limits::kConfigDepth) return wrong("sections are nested too deeply");
    if (depth > open_.size()) return wrong("a subsection stands outside of a section");
    close_to(depth);
    if (!open_.back().subsections.insert(*name).second) return wrong("a section is given twice");
    open_.push_back(Open{.section = {.name = std::move(*name)}});
    return {};
  }

  Parsed<void> assignment(std::string_view rest) {
    std::string key;
    if (is_quote(rest.front())) {
      auto quoted = take_quoted(rest);
      if (!quoted) return wrong(quoted.error());
      key = std::move(*quoted);
      if (!rest.starts_with('=')) return wrong("neither a section nor `key = value`");
    } else {
      const std::size_t equals = rest.find('=');
      if (equals == std::string_view::npos) return wrong("neither a section nor `key = value`");
      key = trimmed(rest.substr(0, equals));
      rest = rest.substr(equals);
    }
    if (key.empty()) return wrong("a value has no key");
    auto value = parse_value(trimmed(rest.substr(1)));
    if (!value) return wrong(value.error());
    ConfigSection& section = open_.back().section;
    if (value->is_list) section.lists.emplace(key, std::move(value->items));
    if (!section.values.emplace(std::move(key), std::move(value->text)).second) {
      return wrong("a key is given twice");
    }
    return {};
  }

  std::vector<Open> open_ = std::vector<Open>(1);  // the unnamed outer section first
};

}  // namespace

tl::expected<ConfigSection, ConfigError> parse_config(std::string_view text) {
  if (text.size() > limits::kConfigFile) {
    return tl::unexpected<ConfigError>(ConfigError{1, "the file is too large"});
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // byte order mark
  ConfigParser parser;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const auto done = parser.line(text.substr(0, end)); !done) {
      return tl::unexpected<ConfigError>(ConfigError{number, done.error()});
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

}  // namespace meshstow::codec
