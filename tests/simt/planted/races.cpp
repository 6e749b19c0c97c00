// Races on global memory, inside a block and between blocks.
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

template <bool kPlanted>
__global__ void count(int* total) {
  if constexpr (kPlanted) {
    *total += 1;
  } else {
    atomicAdd(total, 1);
  }
}

template <bool kPlanted>
bool counts(CudaContext& context, unsigned blocks, unsigned threads) {
  auto total = on_device(context, std::vector<int>{0});
  launch(count<kPlanted>, dim3(blocks), dim3(threads), 0, context, total.data());
  return on_host(context, total)[0] == static_cast<int>(blocks * threads);
}

template <bool kPlanted>
bool sum_without_atomics_in_a_block(CudaContext& context) {
  return counts<kPlanted>(context, 1, 64);
}

template <bool kPlanted>
bool sum_without_atomics_across_blocks(CudaContext& context) {
  return counts<kPlanted>(context, 8, 1);
}

template <bool kPlanted>
__global__ void raise_flag(int* flag) {
  if constexpr (kPlanted) {
    *flag = 1;
  } else {
    atomicExch(flag, 1);
  }
}

template <bool kPlanted>
bool same_value_stored_by_all(CudaContext& context) {
  auto flag = on_device(context, std::vector<int>{0});
  launch(raise_flag<kPlanted>, dim3(2), dim3(32), 0, context, flag.data());
  return on_host(context, flag)[0] == 1;
}

// The block that comes last sums what all blocks wrote (Harris, "threadFenceReduction").
template <bool kPlanted>
__global__ void sum_by_last_block(int* parts, unsigned* arrived, int* total) {
  parts[blockIdx.x] = static_cast<int>(blockIdx.x) + 1;
  if constexpr (!kPlanted) __threadfence();
  if (atomicAdd(arrived, 1u) != gridDim.x - 1) return;
  if constexpr (!kPlanted) __threadfence();
  int sum = 0;
  for (unsigned block = 0; block < gridDim.x; ++block) sum += parts[block];
  *total = sum;
}

template <bool kPlanted>
bool last_block_without_fence(CudaContext& context) {
  auto parts = on_device(context, std::vector<int>(8, 0));
  auto arrived = on_device(context, std::vector<unsigned>{0});
  auto total = on_device(context, std::vector<int>{0});
  launch(sum_by_last_block<kPlanted>, dim3(8), dim3(1), 0, context, parts.data(), arrived.data(),
         total.data());
  return on_host(context, total)[0] == 36;
}

// Each thread adds its left neighbour's value to its own; in place, the neighbour may be done.
template <bool kPlanted>
__global__ void add_left(const int* in, int* out, int size) {
  const int i = global_thread();
  if (i >= size) return;
  const int* values = kPlanted ? out : in;
  const int left = i == 0 ? 0 : values[i - 1];
  out[i] = values[i] + left;
}

template <bool kPlanted>
bool update_in_place(CudaContext& context) {
  constexpr int kSize = 96;
  const auto in = on_device(context, counting(kSize));
  auto out = on_device(context, counting(kSize));
  launch(add_left<kPlanted>, dim3(3), dim3(32), 0, context, in.data(), out.data(), kSize);
  const std::vector<int> result = on_host(context, out);
  for (int i = 1; i < kSize; ++i) {
    if (result[static_cast<std::size_t>(i)] != 2 * i - 1) return false;
  }
  return true;
}

// Two threads own the same output: i and i + size / 2.
template <bool kPlanted>
__global__ void fold(const int* in, int* out, int size) {
  const int i = global_thread();
  const int slots = size / 2;
  if (kPlanted) {
    out[i % slots] = in[i] % slots;
  } else if (i < slots) {
    out[i] = in[i] % slots;
  }
}

template <bool kPlanted>
bool two_owners_of_one_output(CudaContext& context) {
  const auto in = on_device(context, counting(64));
  auto out = on_device(context, std::vector<int>(32, -7));
  launch(fold<kPlanted>, dim3(2), dim3(32), 0, context, in.data(), out.data(), 64);
  return on_host(context, out) == counting(32);
}

}  // namespace

std::vector<Planted> race_bugs() {
  return {
      {"sum_without_atomics_in_a_block", sum_without_atomics_in_a_block<true>,
       sum_without_atomics_in_a_block<false>},
      {"sum_without_atomics_across_blocks", sum_without_atomics_across_blocks<true>,
       sum_without_atomics_across_blocks<false>},
      {"same_value_stored_by_all", same_value_stored_by_all<true>, same_value_stored_by_all<false>},
      {"last_block_without_fence", last_block_without_fence<true>, last_block_without_fence<false>},
      {"update_in_place", update_in_place<true>, update_in_place<false>},
      {"two_owners_of_one_output", two_owners_of_one_output<true>,
       two_owners_of_one_output<false>}};
}

}  // namespace m2st::simt::planted
