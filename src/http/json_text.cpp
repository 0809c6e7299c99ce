#include "http/json_text.hpp"

#include <boost/json/serialize.hpp>

namespace meshstow::http {

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

}  // namespace meshstow::http
