// base/result.hpp: errors as values.
//
// Bytes from outside (network, file, form, flag) make a function return an Error, never throw and
// never reach a check (base/check.hpp). `detail` is a literal: it names what was wrong, never
// user data, so that an error can be logged and sent to a peer without leaking a path.
#pragma once

#include <string_view>
#include <tl/expected.hpp>

namespace meshstow::base {

enum class Errc {
  not_found,    // no such document, destination, path, home
  conflict,     // a precondition failed, or a name is taken by the other kind
  denied,       // not allowed, or not authenticated
  malformed,    // the input breaks its format
  limit,        // the input is well formed and larger than a named limit; or storage is full
  unavailable,  // the other side, or a resource of this machine, is not there now
  timed_out,
  corrupt,   // stored data fails its own check
  internal,  // a library refused something that we believed to be right
};

std::string_view to_string(Errc code);

struct Error {
  Errc code = Errc::internal;
  const char* detail = "";
  friend bool operator==(const Error& a, const Error& b) { return a.code == b.code; }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Errc code, const char* detail) {
  return tl::unexpected<Error>(Error{code, detail});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(error); }

}  // namespace meshstow::base

namespace meshstow {
using base::Errc;
using base::Error;
using base::fail;
using base::Result;
}  // namespace meshstow
