// xxh3-128 of bytes that come piece by piece.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <memory>

#include "engine/check.h"

namespace m2st {

class RunningHash {
 public:
  RunningHash() : state_(XXH3_createState(), XXH3_freeState) {
    if (!state_) fail(ExitCode::kOutOfMemory, "hash: no memory for its state");
    XXH3_128bits_reset(state_.get());
  }

  void add(const void* bytes, std::size_t size) { XXH3_128bits_update(state_.get(), bytes, size); }
  XXH128_hash_t digest() const { return XXH3_128bits_digest(state_.get()); }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

}  // namespace m2st
