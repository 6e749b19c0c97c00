// Planted bugs: kernels and host code with one thing wrong each, and their corrected twins, which
// differ by nothing else. What must be caught, and how, stands in tests/simt/self.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/copy.h"
#include "engine/cuda_context.h"
#include "engine/cuda_launch.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/cuda/warp.cuh"

namespace m2st::simt::planted {

using kernels::block_shared;
using kernels::block_shared_dynamic;
using kernels::kAllLanes;

// Both say whether the result was right, if they come that far.
struct Planted {
  const char* name;
  bool (*bug)(CudaContext&);
  bool (*twin)(CudaContext&);
};

std::vector<Planted> barrier_bugs();
std::vector<Planted> warp_bugs();
std::vector<Planted> race_bugs();
std::vector<Planted> memory_bugs();
std::vector<Planted> host_bugs();
std::vector<Planted> stream_bugs();

template <class T>
Array<T> on_device(CudaContext& context, const std::vector<T>& values) {
  Array<T> array(context.pool(), static_cast<std::int64_t>(values.size()));
  copy_in<T>(context, values, array.span());
  return array;
}

template <class T>
std::vector<T> on_host(CudaContext& context, const Array<T>& array) {
  std::vector<T> values(static_cast<std::size_t>(array.size()));
  copy_out<T>(context, array.span(), values);
  return values;
}

inline std::vector<int> counting(int size) {
  std::vector<int> values(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) values[static_cast<std::size_t>(i)] = i;
  return values;
}

// Runs kernel(in, out) with in = 0, 1, ... and says whether out is what expected(i) gives.
template <class Expected>
bool maps(CudaContext& context, void (*kernel)(const int*, int*), int blocks, int threads,
          Expected&& expected) {
  const int size = blocks * threads;
  const auto in = on_device(context, counting(size));
  auto out = on_device(context, std::vector<int>(static_cast<std::size_t>(size), -7));
  launch(kernel, dim3(static_cast<unsigned>(blocks)), dim3(static_cast<unsigned>(threads)), 0,
         context, in.data(), out.data());
  const std::vector<int> result = on_host(context, out);
  for (int i = 0; i < size; ++i) {
    if (result[static_cast<std::size_t>(i)] != expected(i)) return false;
  }
  return true;
}

__device__ inline int thread_number() { return static_cast<int>(threadIdx.x); }
__device__ inline int global_thread() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

}  // namespace m2st::simt::planted
