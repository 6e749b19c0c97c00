// The variables that CUDA gives to every thread. One set for a thread of this machine: the executor
// writes them whenever another CUDA thread goes on.
#pragma once

#include "tests/simt/include/vector_types.h"

inline constinit thread_local uint3 threadIdx{};
inline constinit thread_local uint3 blockIdx{};
inline constinit thread_local dim3 blockDim{};
inline constinit thread_local dim3 gridDim{};
inline constexpr int warpSize = 32;
