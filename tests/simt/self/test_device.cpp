// Atomics, arithmetic, indices and shared memory, against literals and the host's own arithmetic.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {
namespace {

__global__ void atomics_kernel(int* integers, unsigned* naturals, unsigned long long* longs,
                               double* reals) {
  const int i = global_thread();
  const auto u = static_cast<unsigned>(i);
  atomicAdd(&integers[0], i);
  atomicSub(&integers[1], 1);
  atomicMin(&integers[2], -i);
  atomicMax(&integers[3], i);
  atomicInc(&naturals[0], 9);
  atomicDec(&naturals[1], 9);
  atomicOr(&naturals[2], 1u << i % 32);
  atomicAnd(&naturals[3], ~(1u << i % 32));
  atomicXor(&naturals[4], u);
  atomicAdd(&longs[0], 1ull << 33);
  atomicMax(&longs[1], static_cast<unsigned long long>(u) << 33);
  atomicAdd(&reals[0], 0.5);
  if (atomicCAS(&integers[4], 0, i + 1) == 0) atomicExch(&integers[5], i + 1);
}

TEST(Atomics, GiveWhatOneAfterTheOtherWould) {
  constexpr int kThreads = 96;
  CudaContext context;
  auto integers = on_device(context, std::vector<int>(6, 0));
  auto naturals = on_device(context, std::vector<unsigned>{0, 0, 0, kAllLanes, 0});
  auto longs = on_device(context, std::vector<unsigned long long>(2, 0));
  auto reals = on_device(context, std::vector<double>(1, 0));

  launch(atomics_kernel, dim3(3), dim3(32), 0, context, integers.data(), naturals.data(),
         longs.data(), reals.data());

  const std::vector<int> i = on_host(context, integers);
  EXPECT_EQ(i[0], kThreads * (kThreads - 1) / 2);
  EXPECT_EQ(i[1], -kThreads);
  EXPECT_EQ(i[2], -(kThreads - 1));
  EXPECT_EQ(i[3], kThreads - 1);
  EXPECT_EQ(i[4], i[5]);
  EXPECT_NE(i[4], 0);
  const std::vector<unsigned> u = on_host(context, naturals);
  EXPECT_EQ(u, (std::vector<unsigned>{kThreads % 10, 4, kAllLanes, 0, 0}));
  EXPECT_EQ(on_host(context, longs), (std::vector<unsigned long long>{96ull << 33, 95ull << 33}));
  EXPECT_EQ(on_host(context, reals)[0], kThreads * 0.5);
}

__global__ void index_kernel(unsigned* out) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 1;
}

TEST(Indices, NameEveryThreadOnce) {
  constexpr int kThreads = 5 * 3 * 2 * 4 * 2 * 3;
  CudaContext context;
  auto out = on_device(context, std::vector<unsigned>(kThreads, 0));

  launch(index_kernel, dim3(4, 2, 3), dim3(5, 3, 2), 0, context, out.data());

  EXPECT_EQ(on_host(context, out), std::vector<unsigned>(kThreads, 1));
}

struct TwoArrays {
  double first[33];
  int second[33];
};

// A helper with static shared memory of its own, called twice.
template <class T>
__device__ T block_total(T value) {
  struct Storage {
    T part[64];
  };
  Storage& storage = block_shared<Storage>();
  __syncthreads();
  storage.part[threadIdx.x] = value;
  __syncthreads();
  T sum = 0;
  for (unsigned i = 0; i < blockDim.x; ++i) sum += storage.part[i];
  return sum;
}

__global__ void shared_kernel(double* out) {
  TwoArrays& arrays = block_shared<TwoArrays>();
  auto* dynamic = block_shared_dynamic<float>();
  const int thread = thread_number();
  if (thread < 33) {
    arrays.first[thread] = thread;
    arrays.second[thread] = 2 * thread;
  }
  dynamic[thread] = 0.25f;
  const int total = block_total(1) + block_total(thread);
  const double parts = block_total(0.5);
  out[global_thread()] =
      total + parts + arrays.first[thread % 33] + arrays.second[thread % 33] + dynamic[63 - thread];
}

TEST(SharedMemory, IsOneForTheBlockAndKeptApartByType) {
  CudaContext context;
  auto out = on_device(context, std::vector<double>(128, 0));

  launch(shared_kernel, dim3(2), dim3(64), 64 * sizeof(float), context, out.data());

  const std::vector<double> result = on_host(context, out);
  for (int i = 0; i < 128; ++i) {
    const int thread = i % 64;
    EXPECT_EQ(result[static_cast<std::size_t>(i)], 64 + 63 * 32 + 32 + 3 * (thread % 33) + 0.25);
  }
}

TEST(Arithmetic, FollowsCudasDefinitions) {
  EXPECT_EQ(__popc(0xF0F0u), 8);
  EXPECT_EQ(__popcll(~0ull), 64);
  EXPECT_EQ(__clz(1), 31);
  EXPECT_EQ(__clz(0), 32);
  EXPECT_EQ(__clzll(1), 63);
  EXPECT_EQ(__ffs(8), 4);
  EXPECT_EQ(__ffs(0), 0);
  EXPECT_EQ(__ffsll(1ll << 40), 41);
  EXPECT_EQ(__brev(1u), 0x80000000u);
  EXPECT_EQ(__umulhi(0x80000000u, 6u), 3u);
  EXPECT_EQ(__mulhi(-2, 1 << 30), -1);
  EXPECT_EQ(__umul64hi(1ull << 63, 6), 3u);
  EXPECT_EQ(__funnelshift_l(0x80000000u, 1u, 1), 3u);
  EXPECT_EQ(__funnelshift_r(2u, 1u, 1), 0x80000001u);
  EXPECT_EQ(__float_as_int(1.0f), 0x3F800000);
  EXPECT_EQ(__longlong_as_double(__double_as_longlong(-0.1)), -0.1);
  EXPECT_EQ(__float2int_rn(2.5f), 2);
  EXPECT_EQ(__float2int_rd(-2.5f), -3);
  EXPECT_EQ(min(3, 2.5), 2.5);
  EXPECT_EQ(max(-1ll, 2), 2);
  EXPECT_EQ(max(NAN, 1.0f), 1.0f);
  EXPECT_EQ(rsqrtf(4.0f), 0.5f);
  EXPECT_EQ(rsqrt(0.25), 2.0);
  EXPECT_EQ(__saturatef(-NAN), 0.0f);
}

// x * x needs more bits than a float has: joined with the subtraction the rest would show.
TEST(Arithmetic, RoundsOnceWhereCudaPromisesIt) {
  const float x = 1.0f + 0x1p-12f;
  const float square = __fmul_rn(x, x);

  EXPECT_EQ(__fsub_rn(__fmul_rn(x, x), square), 0.0f);
  EXPECT_EQ(__fmaf_rn(x, x, -square), 0x1p-24f);
  const double y = 1.0 + 0x1p-30;
  EXPECT_EQ(__dsub_rn(__dmul_rn(y, y), __dmul_rn(y, y)), 0.0);
  EXPECT_EQ(__fma_rn(y, y, -__dmul_rn(y, y)), 0x1p-60);
}

}  // namespace
}  // namespace m2st::simt::planted
