#include "base/result.hpp"

namespace meshstow::base {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::not_found: return "not found";
    case Errc::conflict: return "conflict";
    case Errc::denied: return "denied";
    case Errc::malformed: return "malformed";
    case Errc::limit: return "limit";
    case Errc::unavailable: return "unavailable";
    case Errc::timed_out: return "timed out";
    case Errc::corrupt: return "corrupt";
    case Errc::internal: return "internal";
  }
  return "internal";
}

}  // namespace meshstow::base
