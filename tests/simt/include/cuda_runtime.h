// Stand-in for the toolkit's header of the same name: with it a .cu file compiles as plain C++ and
// its kernels run on the host, under the executor. What is missing here (a raw __shared__, <<<>>>,
// __activemask, inline PTX) is missing on purpose: see the rules in docs/gpu.md.
#pragma once

#include "tests/simt/include/cuda_runtime_api.h"
#include "tests/simt/include/device_atomics.h"
#include "tests/simt/include/device_launch.h"
#include "tests/simt/include/device_math.h"
#include "tests/simt/include/device_variables.h"
#include "tests/simt/include/device_warp.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) alignas(bytes)
