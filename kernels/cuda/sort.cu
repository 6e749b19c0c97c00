// Orders and offsets on CUDA. argsort is a stable radix sort from the lowest byte up: a warp owns a
// chunk of consecutive entries and takes them 32 at a time, so an entry's place among equals is a
// count of lanes before it. All eight bytes are sorted: asking first which bits vary would wait for
// the device.
#include <utility>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/cuda/shared.cuh"
#include "kernels/sort.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kScanChunk = 4 * kBlockThreads;
constexpr int kDigits = 256;
constexpr int kDigitBits = 8;
constexpr std::int64_t kSortChunk = 1024;  // entries of one warp
constexpr int kSortWarps = 4;              // 8 KB of counters a block

// Sum of the lanes before this one.
__device__ std::int64_t warp_scan(std::int64_t value) {
  const int lane = threadIdx.x % kWarp;
  std::int64_t sum = value;
  for (int offset = 1; offset < kWarp; offset *= 2) {
    const std::int64_t before = __shfl_up_sync(kAllLanes, sum, offset);
    if (lane >= offset) sum += before;
  }
  return sum - value;
}

// Σ of the chunk's counts.
__global__ void chunk_totals_kernel(std::int64_t size, const std::int64_t* __restrict__ counts,
                                    std::int64_t* __restrict__ totals) {
  std::int64_t sum = 0;
  for (int k = 0; k < 4; ++k) {
    const std::int64_t i = blockIdx.x * kScanChunk + k * kBlockThreads + threadIdx.x;
    if (i < size) sum += counts[i];
  }
  sum = block_combine(sum, Plus{}, block_shared_dynamic<std::int64_t>());
  if (threadIdx.x == 0) totals[blockIdx.x] = sum;
}

// offsets of one chunk from where it starts; the last chunk writes the total behind them.
__global__ void chunk_scan_kernel(std::int64_t size, const std::int64_t* __restrict__ counts,
                                  const std::int64_t* __restrict__ starts,
                                  std::int64_t* __restrict__ offsets) {
  std::int64_t* of_warps = block_shared_dynamic<std::int64_t>();
  const std::int64_t first = blockIdx.x * kScanChunk + threadIdx.x * 4;
  std::int64_t values[4];
  std::int64_t sum = 0;
  for (int k = 0; k < 4; ++k) {
    values[k] = first + k < size ? counts[first + k] : 0;
    sum += values[k];
  }
  std::int64_t running = warp_scan(sum);
  if (threadIdx.x % kWarp == kWarp - 1) of_warps[threadIdx.x / kWarp] = running + sum;
  __syncthreads();
  if (starts != nullptr) running += starts[blockIdx.x];
  for (int warp = 0; warp < static_cast<int>(threadIdx.x) / kWarp; ++warp)
    running += of_warps[warp];
  for (int k = 0; k < 4; ++k) {
    if (first + k < size) offsets[first + k] = running;
    running += values[k];
    if (first + k == size - 1) offsets[size] = running;
  }
}

// Histograms lie digit by digit, chunks side by side, so that their scan is where each chunk writes
// its first entry of each digit.
__global__ void digit_counts_kernel(std::int64_t size, int shift,
                                    const std::uint64_t* __restrict__ keys, std::int64_t chunks,
                                    std::int64_t* __restrict__ counts) {
  const int warp = threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
  const std::int64_t chunk = static_cast<std::int64_t>(blockIdx.x) * kSortWarps + warp;
  std::int64_t* of_digit = block_shared_dynamic<std::int64_t>() + warp * kDigits;
  for (int digit = lane; digit < kDigits; digit += kWarp) of_digit[digit] = 0;
  __syncwarp();
  const std::int64_t begin = chunk * kSortChunk;
  for (std::int64_t base = begin; base < begin + kSortChunk; base += kWarp) {
    const std::int64_t i = base + lane;
    const int digit = i < size ? static_cast<int>(keys[i] >> shift & (kDigits - 1)) : kDigits;
    const unsigned equals = __match_any_sync(kAllLanes, digit);
    const bool first_of_equals = (equals & ((1u << lane) - 1)) == 0;
    if (i < size && first_of_equals) of_digit[digit] += __popc(equals);
    __syncwarp();
  }
  if (chunk >= chunks) return;
  for (int digit = lane; digit < kDigits; digit += kWarp) {
    counts[digit * chunks + chunk] = of_digit[digit];
  }
}

struct Entries {
  std::uint64_t* keys;
  std::int32_t* indices;
};

__global__ void place_by_digit_kernel(std::int64_t size, int shift, Entries from, Entries to,
                                      std::int64_t chunks,
                                      const std::int64_t* __restrict__ positions) {
  const int warp = threadIdx.x / kWarp;
  const int lane = threadIdx.x % kWarp;
  const std::int64_t chunk = static_cast<std::int64_t>(blockIdx.x) * kSortWarps + warp;
  if (chunk >= chunks) return;  // the whole warp
  std::int64_t* next = block_shared_dynamic<std::int64_t>() + warp * kDigits;
  for (int digit = lane; digit < kDigits; digit += kWarp) {
    next[digit] = positions[digit * chunks + chunk];
  }
  __syncwarp();
  const std::int64_t begin = chunk * kSortChunk;
  for (std::int64_t base = begin; base < begin + kSortChunk; base += kWarp) {
    const std::int64_t i = base + lane;
    const std::uint64_t key = i < size ? from.keys[i] : 0;
    const int digit = i < size ? static_cast<int>(key >> shift & (kDigits - 1)) : kDigits;
    const unsigned equals = __match_any_sync(kAllLanes, digit);
    const unsigned before = equals & ((1u << lane) - 1);
    std::int64_t place = 0;
    if (i < size) {
      place = next[digit] + __popc(before);
      to.keys[place] = key;
      to.indices[place] = from.indices[i];
    }
    __syncwarp();
    if (i < size && before == 0) next[digit] += __popc(equals);
    __syncwarp();
  }
}

struct KeyAt {
  const std::uint64_t* keys;
  __device__ std::uint64_t operator()(std::int64_t i) const { return keys[i]; }
};

struct NoCounts {
  __device__ std::int64_t operator()(std::int64_t) const { return 0; }
};

struct IndexAt {
  __device__ std::int32_t operator()(std::int64_t i) const { return static_cast<std::int32_t>(i); }
};

__global__ void invert_permutation_kernel(std::int64_t size, const std::int32_t* __restrict__ order,
                                          std::int32_t* __restrict__ inverse) {
  const std::int64_t i = thread_number();
  if (i < size) inverse[order[i]] = static_cast<std::int32_t>(i);
}

// Every level of chunks is scanned by the next one's offsets; three levels reach 2^30 counts.
void scan(CudaContext& context, Span<const std::int64_t> counts, std::int64_t* offsets) {
  const std::int64_t size = std::ssize(counts);
  const std::size_t shared = kBlockWarps * sizeof(std::int64_t);
  const dim3 blocks = blocks_for(size, kScanChunk);
  const std::int64_t chunks = blocks.x;
  Array<std::int64_t> starts(context.pool(), chunks > 1 ? chunks + 1 : 0);
  if (chunks > 1) {
    Array<std::int64_t> totals(context.pool(), chunks);
    launch(chunk_totals_kernel, blocks, dim3(kBlockThreads), shared, context, size, counts.data(),
           totals.data());
    scan(context, totals.span(), starts.data());
  }
  launch(chunk_scan_kernel, blocks, dim3(kBlockThreads), shared, context, size, counts.data(),
         starts.data(), offsets);
}

}  // namespace

void exclusive_scan(CudaContext& context, Span<const std::int64_t> counts,
                    Span<std::int64_t> offsets) {
  M2ST_CHECK(offsets.size() == counts.size() + 1, "exclusive_scan: size of offsets (got ",
             offsets.size(), ", need ", counts.size() + 1, ")");
  if (counts.empty()) {
    write_elements(context, 1, offsets.data(), Accumulate::kOverwrite, NoCounts{});
  } else {
    scan(context, counts, offsets.data());
  }
}

void argsort(CudaContext& context, Span<const std::uint64_t> keys, Span<std::int32_t> order) {
  const std::int64_t size = std::ssize(keys);
  M2ST_CHECK(order.size() == keys.size(), "argsort: size of order (got ", order.size(), ", need ",
             keys.size(), ")");
  if (size == 0) return;
  Array<std::uint64_t> keys_here(context.pool(), size), keys_there(context.pool(), size);
  Array<std::int32_t> indices_there(context.pool(), size);
  Entries here{keys_here.data(), order.data()};
  Entries there{keys_there.data(), indices_there.data()};
  write_elements(context, size, here.keys, Accumulate::kOverwrite, KeyAt{keys.data()});
  write_elements(context, size, here.indices, Accumulate::kOverwrite, IndexAt{});
  const std::int64_t chunks = blocks_for(size, kSortChunk).x;
  const dim3 blocks = blocks_for(chunks, kSortWarps);
  constexpr std::size_t kShared = kSortWarps * kDigits * sizeof(std::int64_t);
  Array<std::int64_t> counts(context.pool(), kDigits * chunks);
  Array<std::int64_t> positions(context.pool(), kDigits * chunks + 1);
  for (int shift = 0; shift < 64; shift += kDigitBits) {
    launch(digit_counts_kernel, blocks, dim3(kSortWarps * kWarp), kShared, context, size, shift,
           here.keys, chunks, counts.data());
    scan(context, counts.span(), positions.data());
    launch(place_by_digit_kernel, blocks, dim3(kSortWarps * kWarp), kShared, context, size, shift,
           here, there, chunks, positions.data());
    std::swap(here, there);  // an even number of times: the result lies in `order`
  }
}

void invert_permutation(CudaContext& context, Span<const std::int32_t> order,
                        Span<std::int32_t> inverse) {
  M2ST_CHECK(inverse.size() == order.size(), "invert_permutation: size of inverse (got ",
             inverse.size(), ", need ", order.size(), ")");
  if (order.empty()) return;
  launch(invert_permutation_kernel, blocks_for(std::ssize(order), kBlockThreads),
         dim3(kBlockThreads), 0, context, std::ssize(order), order.data(), inverse.data());
}

}  // namespace m2st::kernels
