// Where benchmarks' lines on a CUDA device run; without one they are skipped, saying why.
#pragma once

#include <benchmark/benchmark.h>

#include <optional>
#include <string>

#include "engine/context.h"

namespace m2st::bench {

#if defined(M2ST_WITH_CUDA)
inline std::optional<Context> device_context(benchmark::State& state) {
  if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
    state.SkipWithError(("no CUDA device: " + reason).c_str());
    return {};
  }
  return cuda_context(0, 0);
}
#else
inline std::optional<Context> device_context(benchmark::State& state) {
  state.SkipWithError("this build has no CUDA backend");
  return {};
}
#endif

}  // namespace m2st::bench
