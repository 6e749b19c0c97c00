// Loops over elements in fixed chunks, overwriting or adding. `out` may be an input itself, never
// half overlap one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/parallel.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// Elements a chunk: 128 KB of floats, some microseconds of work.
inline constexpr std::int64_t kElementGrain = 32768;

// Rows a chunk, for rows of this many columns.
inline std::int64_t row_grain(std::int64_t cols) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, cols));
}

// out[i] = value(i) or += for i in [begin, end). Without the pragma the compiler guards against
// overlap by taking a scalar loop whenever out is an input.
template <class T, class Value>
void write_range(std::int64_t begin, std::int64_t end, T* out, Accumulate accumulate,
                 const Value& value) {
  if (accumulate == Accumulate::kAdd) {
#pragma GCC ivdep
    for (std::int64_t i = begin; i < end; ++i) out[i] += value(i);
  } else {
#pragma GCC ivdep
    for (std::int64_t i = begin; i < end; ++i) out[i] = value(i);
  }
}

template <class T, class Value>
void write_elements(CpuContext& context, std::int64_t n, T* out, Accumulate accumulate,
                    const Value& value) {
  parallel_for(context, n, kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    write_range(begin, end, out, accumulate, value);
  });
}

}  // namespace m2st::kernels
