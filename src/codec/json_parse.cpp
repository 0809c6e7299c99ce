#include <boost/json/basic_parser_impl.hpp>

#include "base/limits.hpp"
#include "codec/json.hpp"
#include "codec/json_builder.hpp"

namespace meshstow::codec {
namespace {

using boost::json::error_code;

// Boost's parser reads the grammar; this decides what may be a value.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& ec) { return checked(builder_.begin_object(), ec); }
  bool on_object_end(std::size_t, error_code& ec) { return checked(builder_.end(), ec); }
  bool on_array_begin(error_code& ec) { return checked(builder_.begin_array(), ec); }
  bool on_array_end(std::size_t, error_code& ec) { return checked(builder_.end(), ec); }

  bool on_key_part(boost::json::string_view part, std::size_t, error_code&) { return keep(part); }
  bool on_key(boost::json::string_view part, std::size_t, error_code& ec) {
    keep(part);
    return checked(builder_.key(text_), ec) && forget();
  }
  bool on_string_part(boost::json::string_view part, std::size_t, error_code&) {
    return keep(part);
  }
  bool on_string(boost::json::string_view part, std::size_t, error_code& ec) {
    keep(part);
    return checked(builder_.string(text_), ec) && forget();
  }

  bool on_number_part(boost::json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t value, boost::json::string_view, error_code& ec) {
    return checked(builder_.integer(value), ec);
  }
  bool on_uint64(std::uint64_t value, boost::json::string_view, error_code& ec) {
    return checked(builder_.unsigned_integer(value), ec);
  }
  bool on_double(double, boost::json::string_view, error_code& ec) {
    return checked(builder_.refuse("number with a fraction, an exponent or out of range"), ec);
  }
  bool on_bool(bool value, error_code& ec) { return checked(builder_.boolean(value), ec); }
  bool on_null(error_code& ec) { return checked(builder_.refuse("null is no value"), ec); }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }

  JsonBuilder& builder() { return builder_; }

 private:
  bool keep(boost::json::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool forget() {
    text_.clear();
    return true;
  }
  static bool checked(bool accepted, error_code& ec) {
    if (!accepted) ec = boost::json::error::syntax;
    return accepted;
  }

  JsonBuilder builder_;
  std::string text_;  // of a key or string that comes in parts
};

}  // namespace

Result<boost::json::value> parse_strict_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepth;
  boost::json::basic_parser<StrictHandler> parser(options);
  error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  JsonBuilder& builder = parser.handler().builder();
  if (builder.refusal() != nullptr) return fail(Errc::malformed, builder.refusal());
  if (ec || read != text.size() || !builder.done()) return fail(Errc::malformed, "JSON syntax");
  return builder.take();
}

}  // namespace meshstow::codec
