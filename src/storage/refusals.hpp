// storage/refusals.hpp: how refusals are made from errors.
#pragma once

#include "base/result.hpp"
#include "storage/types.hpp"

namespace meshstow::storage {

inline tl::unexpected<Failure> refuse(Refusal refusal, const char* detail,
                                      std::optional<ETag> current = std::nullopt) {
  return tl::unexpected<Failure>(Failure{refusal, detail, std::move(current)});
}

// What an error of the engine, or of stored bytes, means to the asker.
inline Failure failure_from(const Error& error) {
  switch (error.code) {
    case Errc::corrupt: return {Refusal::corrupt, error.detail, std::nullopt};
    case Errc::limit: return {Refusal::full, error.detail, std::nullopt};
    default: return {Refusal::unavailable, error.detail, std::nullopt};
  }
}

inline tl::unexpected<Failure> refuse(const Error& error) {
  return tl::unexpected<Failure>(failure_from(error));
}

}  // namespace meshstow::storage
