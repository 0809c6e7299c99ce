// codec/json_builder.hpp: builds a JSON value from a stream of events under the rules of storage
// messages (json.hpp), with its own stack instead of recursion. Internal to src/codec.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace meshstow::codec {

// Integers beyond this are not the same number in every JSON reader (RFC 8785, appendix D).
inline constexpr std::int64_t kSafeInteger = (std::int64_t{1} << 53) - 1;

// Each step returns false once something was refused; `refusal` says what, as a literal.
class JsonBuilder {
 public:
  bool begin_object() { return begin(boost::json::object()); }
  bool begin_array() { return begin(boost::json::array()); }
  bool end();  // of the innermost object or array
  bool key(std::string_view text);
  bool string(std::string_view text);
  bool integer(std::int64_t value);
  bool unsigned_integer(std::uint64_t value);
  bool boolean(bool value) { return add(value); }
  bool refuse(const char* why);

  // True once one whole value was given.
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const char* refusal() const { return refusal_; }
  // In an object, and the next thing due is a key.
  [[nodiscard]] bool expects_key() const;
  boost::json::value take() { return std::move(result_); }

 private:
  struct Open {
    boost::json::value container;
    std::string key;
    bool has_key = false;
  };

  bool begin(boost::json::value container);
  bool add(boost::json::value value);

  std::vector<Open> open_;
  boost::json::value result_;
  bool done_ = false;
  const char* refusal_ = nullptr;
};

}  // namespace meshstow::codec
