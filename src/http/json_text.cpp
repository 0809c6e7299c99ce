#include "http/json_text.hpp"

#include <boost/json/serialize.hpp>

#include "codec/utf8.hpp"

namespace meshstow::http {

std::string json_string(std::string_view text) {
  return codec::with_valid_utf8(
      boost::json::serialize(boost::json::string_view(text.data(), text.size())));
}

}  // namespace meshstow::http
