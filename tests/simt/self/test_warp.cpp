// Warp operations, barriers with predicates and cooperative groups against what the CUDA C++
// programming guide says they give, worked out lane by lane on the host.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <gtest/gtest.h>

#include "kernels/cuda/double_tile.cuh"
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {
namespace {

namespace cg = cooperative_groups;

// One block; out[i] is what thread i computes.
template <class T, class... Parameters>
std::vector<T> run_block(void (*kernel)(T*, Parameters...), int threads,
                         std::type_identity_t<Parameters>... arguments) {
  CudaContext context;
  auto out = on_device(context, std::vector<T>(static_cast<std::size_t>(threads)));
  launch(kernel, dim3(1), dim3(static_cast<unsigned>(threads)), 0, context, out.data(),
         arguments...);
  return on_host(context, out);
}

template <class T, class Function>
std::vector<T> by_thread(int threads, Function&& function) {
  std::vector<T> values;
  for (int i = 0; i < threads; ++i) values.push_back(static_cast<T>(function(i)));
  return values;
}

template <class T>
__global__ void shuffle_kernel(T* out, int source, int width) {
  out[threadIdx.x] = __shfl_sync(kAllLanes, static_cast<T>(threadIdx.x) / 4, source, width);
}

TEST(Shuffle, ReadsTheLaneOfItsOwnSegment) {
  for (const int width : {32, 8, 1}) {
    const auto expected = [&](int i) {
      return static_cast<double>(i / 32 * 32 + i % 32 / width * width + 11 % width) / 4;
    };

    EXPECT_EQ(run_block(shuffle_kernel<double>, 64, 11, width), by_thread<double>(64, expected));
    EXPECT_EQ(run_block(shuffle_kernel<float>, 64, 11, width), by_thread<float>(64, expected));
  }
}

__global__ void up_kernel(int* out, unsigned delta, int width) {
  out[threadIdx.x] = __shfl_up_sync(kAllLanes, static_cast<int>(threadIdx.x), delta, width);
}
__global__ void down_kernel(int* out, unsigned delta, int width) {
  out[threadIdx.x] = __shfl_down_sync(kAllLanes, static_cast<int>(threadIdx.x), delta, width);
}
__global__ void xor_kernel(long long* out, int lanes) {
  out[threadIdx.x] = __shfl_xor_sync(kAllLanes, static_cast<long long>(threadIdx.x) << 40, lanes);
}

TEST(Shuffle, UpAndDownKeepTheirOwnAtTheSegmentsEdge) {
  for (const int width : {32, 8}) {
    for (const unsigned delta : {0u, 1u, 5u}) {
      const int step = static_cast<int>(delta);
      EXPECT_EQ(run_block(up_kernel, 32, delta, width),
                by_thread<int>(32, [&](int i) { return i % width >= step ? i - step : i; }));
      EXPECT_EQ(run_block(down_kernel, 32, delta, width),
                by_thread<int>(32, [&](int i) { return i % width + step < width ? i + step : i; }));
    }
  }
}

TEST(Shuffle, XorExchangesWholeWords) {
  EXPECT_EQ(run_block(xor_kernel, 32, 5),
            by_thread<long long>(32, [](int i) { return static_cast<long long>(i ^ 5) << 40; }));
}

__global__ void vote_kernel(unsigned* out) {
  const int lane = static_cast<int>(threadIdx.x);
  const unsigned even = __ballot_sync(kAllLanes, lane % 2 == 0);
  const int any = __any_sync(kAllLanes, lane == 7) * 2 + __any_sync(kAllLanes, lane > 31);
  const int all = __all_sync(kAllLanes, lane < 32) * 2 + __all_sync(kAllLanes, lane < 31);
  out[lane] = even ^ static_cast<unsigned>(any << 8) ^ static_cast<unsigned>(all << 16);
}

TEST(Votes, CountEveryLaneOfTheMask) {
  EXPECT_EQ(run_block(vote_kernel, 32),
            std::vector<unsigned>(32, 0x55555555u ^ (2u << 8) ^ (2u << 16)));
}

__global__ void match_kernel(unsigned* out) {
  const int lane = static_cast<int>(threadIdx.x);
  int all_same = 0;
  const unsigned same = __match_all_sync(kAllLanes, 1.5f, &all_same);
  out[lane] = all_same == 1 && same == kAllLanes ? __match_any_sync(kAllLanes, lane % 3) : 0;
}

TEST(Match, FindsTheLanesOfEqualValue) {
  EXPECT_EQ(run_block(match_kernel, 32), by_thread<unsigned>(32, [](int i) {
              unsigned mask = 0;
              for (int other = i % 3; other < 32; other += 3) mask |= 1u << other;
              return mask;
            }));
}

// a(i, p) = 2^p (i + 1), b(p, j) = j + 1 + 100 p, and the same with other signs as a second
// fragment; every lane's sums before are its number.
__global__ void fragments_kernel(double* out) {
  const int lane = static_cast<int>(threadIdx.x) % 32, index = lane / 4, depth = lane % 4;
  const double a[2] = {(1 << depth) * (index + 1.0), -(1 << depth) * (index + 1.0)};
  const double b[1] = {index + 1 + 100.0 * depth};
  double sums[2][1][2] = {{{1.0 * lane, 1.0 * lane}}, {{1.0 * lane, 1.0 * lane}}};
  kernels::add_fragments(a, b, sums);
  out[threadIdx.x] = 1e6 * sums[0][0][0] + sums[0][0][1];
  if (sums[1][0][0] != 2 * lane - sums[0][0][0]) out[threadIdx.x] = -1;
}

TEST(Fragments, AreMultipliedByAWarp) {
  EXPECT_EQ(run_block(fragments_kernel, 64), by_thread<double>(64, [](int i) {
              const int lane = i % 32;
              const auto entry = [&](int col) {  // Σ 2^p (row + 1) (col + 1 + 100 p) of p < 4
                return lane + (lane / 4 + 1) * (15.0 * (col + 1) + 100 * 34);
              };
              return 1e6 * entry(2 * (lane % 4)) + entry(2 * (lane % 4) + 1);
            }));
}

// Terms that cancel: only in order of p, each step rounded once, is the last one all that is left.
__global__ void chain_kernel(double* out) {
  const double big = 0x1p60, tiny = 0x1p-60;
  const int depth = static_cast<int>(threadIdx.x) % 4;
  const double a[1] = {depth == 0 ? 1 + 0x1p-52 : depth == 1 ? big : depth == 2 ? -big : tiny};
  const double b[1] = {depth == 0 ? 1 - 0x1p-52 : 1.0};
  double sums[1][1][2] = {{{-1.0, -1.0}}};
  kernels::add_fragments(a, b, sums);
  out[threadIdx.x] = sums[0][0][1];
}

TEST(Fragments, TermsAreAChainOfFusedOperations) {
  EXPECT_EQ(run_block(chain_kernel, 32), std::vector<double>(32, 0x1p-60));
}

__global__ void first_term_kernel(double* out) {
  const int depth = static_cast<int>(threadIdx.x) % 4;
  const double a[1] = {depth == 0 ? 1 + 0x1p-52 : 0.0}, b[1] = {1 - 0x1p-52};
  double sums[1][1][2] = {{{-1.0, -1.0}}};
  kernels::add_fragments(a, b, sums);
  out[threadIdx.x] = sums[0][0][0];
}

TEST(Fragments, ProductsAreNotRounded) {
  EXPECT_EQ(run_block(first_term_kernel, 32), std::vector<double>(32, -0x1p-104));
}

// The odd lanes only, each with a value of its own sign.
__global__ void reduce_kernel(int* out) {
  const int lane = static_cast<int>(threadIdx.x);
  const unsigned odd = 0xAAAAAAAAu;
  const int value = lane - 16;
  if (lane % 2 == 0) return;
  const int sum = __reduce_add_sync(odd, value);
  const int least = __reduce_min_sync(odd, value), greatest = __reduce_max_sync(odd, value);
  const auto bits = static_cast<unsigned>(lane);
  const unsigned common = __reduce_and_sync(odd, bits), either = __reduce_or_sync(odd, bits);
  const unsigned parity = __reduce_xor_sync(odd, bits | 64u);
  const bool right = common == 1 && either == 31 && parity == 0 &&
                     __reduce_max_sync(odd, bits) == 31 && __reduce_min_sync(odd, bits) == 1 &&
                     __reduce_add_sync(odd, bits) == 256;
  out[lane] = right ? sum * 10000 + least * 100 + greatest : -1;
}

TEST(Reductions, CombineTheLanesOfTheMask) {
  EXPECT_EQ(run_block(reduce_kernel, 32),
            by_thread<int>(32, [](int i) { return i % 2 == 0 ? 0 : 0 * 10000 - 15 * 100 + 15; }));
}

__global__ void barrier_kernel(int* out) {
  const int thread = static_cast<int>(threadIdx.x);
  const int count = __syncthreads_count(thread % 3 == 0);
  const int some = __syncthreads_or(thread == 69), none = __syncthreads_or(thread == 70);
  const int all = __syncthreads_and(thread < 70), most = __syncthreads_and(thread < 69);
  out[thread] = count * 16 + some * 8 + none * 4 + all * 2 + most;
}

TEST(Barrier, CountsThePredicatesOfTheWholeBlock) {
  EXPECT_EQ(run_block(barrier_kernel, 70), std::vector<int>(70, 24 * 16 + 8 + 2));
}

__global__ void tile_kernel(int* out) {
  const auto block = cg::this_thread_block();
  const auto tile = cg::tiled_partition<8>(block);
  const int rank = static_cast<int>(tile.thread_rank());
  const int sum = cg::reduce(tile, rank, cg::plus<int>());
  const int largest = cg::reduce(tile, rank, cg::greater<int>());
  const int least = cg::reduce(tile, rank, cg::less<int>());
  const auto low = static_cast<int>(tile.ballot(rank < 3));
  const int first = tile.shfl(static_cast<int>(block.thread_rank()), 0);
  const bool right = sum == 28 && largest == 7 && least == 0 && low == 7 && tile.any(rank == 7) &&
                     !tile.all(rank == 7) && tile.match_any(rank / 4) == (rank < 4 ? 15u : 240u) &&
                     tile.shfl_up(rank, 1) == (rank == 0 ? 0 : rank - 1) &&
                     tile.shfl_down(rank, 1) == (rank == 7 ? 7 : rank + 1) &&
                     tile.meta_group_size() == block.size() / 8;
  tile.sync();
  block.sync();
  out[block.thread_rank()] = right ? first + static_cast<int>(tile.meta_group_rank()) : -1;
}

TEST(Tiles, WorkOnTheirOwnLanes) {
  EXPECT_EQ(run_block(tile_kernel, 64),
            by_thread<int>(64, [](int i) { return i / 8 * 8 + i / 8; }));
}

// Warps may go different ways, and lanes of one warp under masks of their own.
__global__ void diverging_kernel(int* out) {
  const int thread = static_cast<int>(threadIdx.x);
  int value = thread;
  if (thread < 32) {
    const unsigned mask = thread < 8 ? 0xFFu : 0xFFFFFF00u;
    for (int step = 0; step < (thread < 8 ? 3 : 5); ++step) {
      value = __shfl_sync(mask, value, thread < 8 ? 7 : 8) + 1;
    }
  }
  __syncthreads();
  out[thread] = value;
}

TEST(Divergence, LeavesLanesOfDifferentMasksIndependent) {
  EXPECT_EQ(run_block(diverging_kernel, 96), by_thread<int>(96, [](int i) {
              if (i < 8) return 7 + 3;
              return i < 32 ? 8 + 5 : i;
            }));
}

}  // namespace
}  // namespace m2st::simt::planted
