// Warp operations with wrong masks, wrong sources, or taken for barriers.
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

constexpr unsigned kLowHalf = 0x0000FFFFu;

struct Line {
  int value[32];
};

template <bool kPlanted>
__global__ void reverse_in_warp(const int* in, int* out) {
  Line& line = block_shared<Line>();
  line.value[thread_number()] = in[thread_number()];
  if constexpr (!kPlanted) __syncwarp();
  out[thread_number()] = line.value[31 - thread_number()];
}

template <bool kPlanted>
bool missing_warp_barrier(CudaContext& context) {
  return maps(context, reverse_in_warp<kPlanted>, 1, 32, [](int i) { return 31 - i; });
}

// A shuffle brings the lanes together, but orders no memory.
template <bool kPlanted>
__global__ void reverse_after_shuffle(const int* in, int* out) {
  Line& line = block_shared<Line>();
  line.value[thread_number()] = in[thread_number()];
  const int zero = __shfl_sync(kAllLanes, 0, 0);
  if constexpr (!kPlanted) __syncwarp();
  out[thread_number()] = line.value[31 - thread_number()] + zero;
}

template <bool kPlanted>
bool shuffle_taken_for_barrier(CudaContext& context) {
  return maps(context, reverse_after_shuffle<kPlanted>, 1, 32, [](int i) { return 31 - i; });
}

template <bool kPlanted>
__global__ void half_warp(const int* in, int* out) {
  int value = in[thread_number()];
  if (thread_number() < 16) value = __shfl_sync(kPlanted ? kAllLanes : kLowHalf, value, 0);
  out[thread_number()] = value;
}

template <bool kPlanted>
bool full_mask_in_half_a_warp(CudaContext& context) {
  return maps(context, half_warp<kPlanted>, 1, 32, [](int i) { return i < 16 ? 0 : i; });
}

template <bool kPlanted>
__global__ void upper_half(const int* in, int* out) {
  int value = in[thread_number()];
  if (thread_number() >= 16) value = __shfl_sync(kPlanted ? kLowHalf : ~kLowHalf, value, 16);
  out[thread_number()] = value;
}

template <bool kPlanted>
bool mask_without_the_lane_itself(CudaContext& context) {
  return maps(context, upper_half<kPlanted>, 1, 32, [](int i) { return i < 16 ? i : 16; });
}

template <bool kPlanted>
__global__ void some_return(const int* in, int* out) {
  out[thread_number()] = in[thread_number()];
  if (thread_number() < 16) return;
  out[thread_number()] = __shfl_sync(kPlanted ? kAllLanes : ~kLowHalf, in[thread_number()], 16);
}

template <bool kPlanted>
bool mask_names_returned_lanes(CudaContext& context) {
  return maps(context, some_return<kPlanted>, 1, 32, [](int i) { return i < 16 ? i : 16; });
}

// The second warp of a block of 40 has 8 lanes.
template <bool kPlanted>
__global__ void short_warp(const int* in, int* out) {
  const unsigned mask = kPlanted || thread_number() < 32 ? kAllLanes : 0xFFu;
  out[thread_number()] = __shfl_sync(mask, in[thread_number()], 0);
}

template <bool kPlanted>
bool mask_names_lanes_that_are_not(CudaContext& context) {
  return maps(context, short_warp<kPlanted>, 1, 40, [](int i) { return i / 32 * 32; });
}

template <bool kPlanted>
__global__ void shuffle_in_branches(const int* in, int* out) {
  int value = in[thread_number()];
  if (kPlanted && thread_number() % 2 == 1) {
    value = __shfl_sync(kAllLanes, value, 5);
  } else {
    value = __shfl_sync(kAllLanes, value, 5);
  }
  out[thread_number()] = value;
}

template <bool kPlanted>
bool lanes_at_different_lines(CudaContext& context) {
  return maps(context, shuffle_in_branches<kPlanted>, 1, 32, [](int) { return 5; });
}

template <bool kPlanted>
__global__ void shuffle_across(const int* in, int* out) {
  int value = in[thread_number()];
  if (thread_number() < 16) value = __shfl_sync(kLowHalf, value, kPlanted ? 20 : 15);
  out[thread_number()] = value;
}

template <bool kPlanted>
bool shuffle_from_outside_the_mask(CudaContext& context) {
  return maps(context, shuffle_across<kPlanted>, 1, 32, [](int i) { return i < 16 ? 15 : i; });
}

template <bool kPlanted>
__global__ void masks_differ(const int* in, int* out) {
  const bool odd = kPlanted && thread_number() == 3;
  const unsigned mask = thread_number() < 16 ? kLowHalf : ~kLowHalf;
  out[thread_number()] =
      __shfl_sync(odd ? 0x0000000Fu : mask, in[thread_number()], thread_number() / 16 * 16);
}

template <bool kPlanted>
bool lanes_disagree_on_the_mask(CudaContext& context) {
  return maps(context, masks_differ<kPlanted>, 1, 32, [](int i) { return i / 16 * 16; });
}

}  // namespace

std::vector<Planted> warp_bugs() {
  return {
      {"missing_warp_barrier", missing_warp_barrier<true>, missing_warp_barrier<false>},
      {"shuffle_taken_for_barrier", shuffle_taken_for_barrier<true>,
       shuffle_taken_for_barrier<false>},
      {"full_mask_in_half_a_warp", full_mask_in_half_a_warp<true>, full_mask_in_half_a_warp<false>},
      {"mask_without_the_lane_itself", mask_without_the_lane_itself<true>,
       mask_without_the_lane_itself<false>},
      {"mask_names_returned_lanes", mask_names_returned_lanes<true>,
       mask_names_returned_lanes<false>},
      {"mask_names_lanes_that_are_not", mask_names_lanes_that_are_not<true>,
       mask_names_lanes_that_are_not<false>},
      {"lanes_at_different_lines", lanes_at_different_lines<true>, lanes_at_different_lines<false>},
      {"shuffle_from_outside_the_mask", shuffle_from_outside_the_mask<true>,
       shuffle_from_outside_the_mask<false>},
      {"lanes_disagree_on_the_mask", lanes_disagree_on_the_mask<true>,
       lanes_disagree_on_the_mask<false>}};
}

}  // namespace m2st::simt::planted
