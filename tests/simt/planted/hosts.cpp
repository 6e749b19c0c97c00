// Mistakes of host code: launches and copies.
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

__global__ void double_all(const int* in, int* out, int size) {
  const int i = global_thread();
  if (i < size) out[i] = 2 * in[i];
}

template <bool kPlanted>
bool host_pointer_to_a_kernel(CudaContext& context) {
  const std::vector<int> values = counting(32);
  const auto in = on_device(context, values);
  auto out = on_device(context, std::vector<int>(32, -7));
  launch(double_all, dim3(1), dim3(32), 0, context, kPlanted ? values.data() : in.data(),
         out.data(), 32);
  return on_host(context, out)[31] == 62;
}

template <bool kPlanted>
bool freed_memory_to_a_kernel(CudaContext& context) {
  auto in = on_device(context, counting(32));
  auto out = on_device(context, std::vector<int>(32, -7));
  const int* values = in.data();
  if constexpr (kPlanted) {
    in.reset();
    context.pool().trim();
  }
  launch(double_all, dim3(1), dim3(32), 0, context, values, out.data(), 32);
  return on_host(context, out)[31] == 62;
}

template <bool kPlanted>
bool launches(CudaContext& context, dim3 grid, dim3 block, std::size_t shared_bytes) {
  const auto in = on_device(context, counting(32));
  auto out = on_device(context, std::vector<int>(32, -7));
  launch(double_all, grid, block, shared_bytes, context, in.data(), out.data(), 32);
  return on_host(context, out)[31] == 62;
}

template <bool kPlanted>
bool empty_grid(CudaContext& context) {
  return launches<kPlanted>(context, dim3(kPlanted ? 0 : 1), dim3(32), 0);
}

template <bool kPlanted>
bool oversized_grid(CudaContext& context) {
  return launches<kPlanted>(context, dim3(1, kPlanted ? 65536 : 1), dim3(32), 0);
}

template <bool kPlanted>
bool oversized_block(CudaContext& context) {
  return launches<kPlanted>(context, dim3(1), dim3(kPlanted ? 1025 : 1024), 0);
}

template <bool kPlanted>
bool dynamic_shared_without_asking(CudaContext& context) {
  constexpr std::size_t kBytes = 64 * 1024;
  if constexpr (!kPlanted) allow_shared(double_all, kBytes);
  return launches<kPlanted>(context, dim3(1), dim3(32), kBytes);
}

template <bool kPlanted>
bool dynamic_shared_beyond_the_device(CudaContext& context) {
  const std::size_t bytes = kPlanted ? 228 * 1024 : 227 * 1024;
  allow_shared(double_all, bytes);
  return launches<kPlanted>(context, dim3(1), dim3(32), bytes);
}

template <bool kPlanted>
bool default_stream(CudaContext& context) {
  const auto in = on_device(context, counting(32));
  auto out = on_device(context, std::vector<int>(32, -7));
  cudaLaunchConfig_t config;
  config.gridDim = dim3(1);
  config.blockDim = dim3(32);
  config.stream = kPlanted ? nullptr : context.stream();
  check_cuda(cudaLaunchKernelEx(&config, double_all, in.data(), out.data(), 32), "launch");
  return on_host(context, out)[31] == 62;
}

template <bool kPlanted>
bool copy_beyond_the_block(CudaContext& context) {
  const std::vector<int> values = counting(64);
  auto out = on_device(context, std::vector<int>(32, -7));
  copy_bytes_in(context, values.data(), out.data(), (kPlanted ? 64 : 32) * sizeof(int));
  return on_host(context, out)[31] == 31;
}

template <bool kPlanted>
bool copy_in_the_wrong_direction(CudaContext& context) {
  std::vector<int> values = counting(32);
  auto out = on_device(context, std::vector<int>(32, -7));
  if constexpr (kPlanted) {
    copy_bytes_in(context, out.data(), values.data(), 32 * sizeof(int));
  } else {
    copy_bytes_in(context, values.data(), out.data(), 32 * sizeof(int));
  }
  return on_host(context, out)[31] == 31;
}

template <bool kPlanted>
bool host_reads_device_memory(CudaContext& context) {
  const auto there = on_device(context, counting(32));
  context.synchronise();
  return kPlanted ? there.data()[31] == 31 : on_host(context, there)[31] == 31;
}

template <bool kPlanted>
bool freed_twice(CudaContext& context) {
  void* block = nullptr;
  check_cuda(cudaMallocAsync(&block, 100, context.stream()), "cudaMallocAsync");
  check_cuda(cudaFreeAsync(block, context.stream()), "cudaFreeAsync");
  if (kPlanted) check_cuda(cudaFreeAsync(block, context.stream()), "cudaFreeAsync");
  context.synchronise();
  return true;
}

}  // namespace

std::vector<Planted> host_bugs() {
  return {
      {"host_pointer_to_a_kernel", host_pointer_to_a_kernel<true>, host_pointer_to_a_kernel<false>},
      {"freed_memory_to_a_kernel", freed_memory_to_a_kernel<true>, freed_memory_to_a_kernel<false>},
      {"empty_grid", empty_grid<true>, empty_grid<false>},
      {"oversized_grid", oversized_grid<true>, oversized_grid<false>},
      {"oversized_block", oversized_block<true>, oversized_block<false>},
      {"dynamic_shared_without_asking", dynamic_shared_without_asking<true>,
       dynamic_shared_without_asking<false>},
      {"dynamic_shared_beyond_the_device", dynamic_shared_beyond_the_device<true>,
       dynamic_shared_beyond_the_device<false>},
      {"default_stream", default_stream<true>, default_stream<false>},
      {"copy_beyond_the_block", copy_beyond_the_block<true>, copy_beyond_the_block<false>},
      {"copy_in_the_wrong_direction", copy_in_the_wrong_direction<true>,
       copy_in_the_wrong_direction<false>},
      {"host_reads_device_memory", host_reads_device_memory<true>, host_reads_device_memory<false>},
      {"freed_twice", freed_twice<true>, freed_twice<false>}};
}

}  // namespace m2st::simt::planted
