// Barriers that are missing, diverge or are never reached.
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

constexpr int kThreads = 64;

struct Line {
  int value[kThreads];
};

template <bool kPlanted>
__global__ void reverse(const int* in, int* out) {
  Line& line = block_shared<Line>();
  line.value[thread_number()] = in[thread_number()];
  if constexpr (!kPlanted) __syncthreads();
  out[thread_number()] = line.value[kThreads - 1 - thread_number()];
}

template <bool kPlanted>
bool read_before_barrier(CudaContext& context) {
  return maps(context, reverse<kPlanted>, 1, kThreads, [](int i) { return kThreads - 1 - i; });
}

// The line is used twice; before the second use every thread must have read the first.
template <bool kPlanted>
__global__ void reverse_twice(const int* in, int* out) {
  Line& line = block_shared<Line>();
  int sum = 0;
  for (int round = 0; round < 2; ++round) {
    line.value[thread_number()] = in[thread_number()] + round;
    __syncthreads();
    sum += line.value[kThreads - 1 - thread_number()];
    if constexpr (!kPlanted) __syncthreads();
  }
  out[thread_number()] = sum;
}

template <bool kPlanted>
bool write_before_all_read(CudaContext& context) {
  return maps(context, reverse_twice<kPlanted>, 1, kThreads,
              [](int i) { return 2 * (kThreads - 1 - i) + 1; });
}

template <bool kPlanted>
__global__ void two_barriers(const int* in, int* out) {
  out[thread_number()] = in[thread_number()];
  if (kPlanted && thread_number() >= 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

template <bool kPlanted>
bool barrier_in_branches(CudaContext& context) {
  return maps(context, two_barriers<kPlanted>, 1, kThreads, [](int i) { return i; });
}

template <bool kPlanted>
__global__ void rounds(const int* in, int* out) {
  const int count = kPlanted ? 1 + thread_number() / 32 : 2;
  for (int round = 0; round < count; ++round) __syncthreads();
  out[thread_number()] = in[thread_number()];
}

template <bool kPlanted>
bool unequal_trip_counts(CudaContext& context) {
  return maps(context, rounds<kPlanted>, 1, kThreads, [](int i) { return i; });
}

template <bool kPlanted>
__global__ void all_but_the_last(const int* in, int* out) {
  const bool mine = thread_number() < kThreads - 1;
  if (kPlanted && !mine) return;
  __syncthreads();
  out[thread_number()] = mine || !kPlanted ? in[thread_number()] : -7;
}

template <bool kPlanted>
bool return_before_barrier(CudaContext& context) {
  return maps(context, all_but_the_last<kPlanted>, 1, kThreads, [](int i) { return i; });
}

// One lane goes to the block's barrier at once, the others wait for it in their warp's.
template <bool kPlanted>
__global__ void two_kinds(const int* in, int* out) {
  if (!kPlanted || thread_number() != 0) __syncwarp();
  __syncthreads();
  out[thread_number()] = in[thread_number()];
}

template <bool kPlanted>
bool one_lane_skips_the_warp_barrier(CudaContext& context) {
  return maps(context, two_kinds<kPlanted>, 1, kThreads, [](int i) { return i; });
}

// Block 0 waits for what block 1 does; the twin for what its own thread does.
template <bool kPlanted>
__global__ void wait_for_flag(const int* in, int* out, unsigned* flag) {
  const unsigned setter = kPlanted ? gridDim.x - 1 : blockIdx.x;
  if (threadIdx.x == 32 && blockIdx.x == setter) atomicExch(&flag[kPlanted ? 0 : setter], 1u);
  if (threadIdx.x == 0) {
    while (atomicAdd(&flag[kPlanted ? 0 : setter], 0u) == 0) __nanosleep(10);
  }
  out[global_thread()] = in[global_thread()];
}

template <bool kPlanted>
bool wait_for_another_block(CudaContext& context) {
  const auto in = on_device(context, counting(2 * kThreads));
  auto out = on_device(context, std::vector<int>(2 * kThreads, -7));
  auto flag = on_device(context, std::vector<unsigned>(2, 0));
  launch(wait_for_flag<kPlanted>, dim3(2), dim3(kThreads), 0, context, in.data(), out.data(),
         flag.data());
  return on_host(context, out) == counting(2 * kThreads);
}

}  // namespace

std::vector<Planted> barrier_bugs() {
  return {{"read_before_barrier", read_before_barrier<true>, read_before_barrier<false>},
          {"write_before_all_read", write_before_all_read<true>, write_before_all_read<false>},
          {"barrier_in_branches", barrier_in_branches<true>, barrier_in_branches<false>},
          {"unequal_trip_counts", unequal_trip_counts<true>, unequal_trip_counts<false>},
          {"return_before_barrier", return_before_barrier<true>, return_before_barrier<false>},
          {"one_lane_skips_the_warp_barrier", one_lane_skips_the_warp_barrier<true>,
           one_lane_skips_the_warp_barrier<false>},
          {"wait_for_another_block", wait_for_another_block<true>, wait_for_another_block<false>}};
}

}  // namespace m2st::simt::planted
