#include "bench/ceilings.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "bench/support.h"
#include "engine/parallel.h"
#include "engine/trace.h"
#include "kernels/gemm.h"

namespace m2st::bench {
namespace {

constexpr int kTries = 5;
constexpr std::int64_t kCopyBytes = std::int64_t{256} << 20;  // past every cache
constexpr std::int64_t kCopyChunk = std::int64_t{1} << 20;
constexpr std::int64_t kGemmSize = 1024;
constexpr std::int64_t kFusedRounds = 1 << 20;

template <class Body>
double fewest_seconds(Body&& body) {
  body();
  double fewest = 1e30;
  for (int i = 0; i < kTries; ++i) {
    const double start = wall_seconds();
    body();
    fewest = std::min(fewest, wall_seconds() - start);
  }
  return fewest;
}

double copy_rate(CpuContext& context) {
  Array<char> from(context.pool(), kCopyBytes), to(context.pool(), kCopyBytes);
  parallel_for(context, kCopyBytes, kCopyChunk, [&](std::int64_t begin, std::int64_t end) {
    std::memset(from.data() + begin, 1, static_cast<std::size_t>(end - begin));
  });
  const double seconds = fewest_seconds([&] {
    parallel_for(context, kCopyBytes, kCopyChunk, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to.data() + begin, from.data() + begin, static_cast<std::size_t>(end - begin));
    });
    benchmark::ClobberMemory();
  });
  return 2.0 * kCopyBytes / seconds;
}

double gemm_rate(CpuContext& context) {
  const Matrix<float> a = random_matrix<float>(context, kGemmSize, kGemmSize, 1);
  const Matrix<float> b = random_matrix<float>(context, kGemmSize, kGemmSize, 2);
  Matrix<float> out(context.pool(), kGemmSize, kGemmSize);
  const double seconds = fewest_seconds([&] {
    kernels::gemm<float>(context, kernels::Layout::kPlain, kernels::Layout::kPlain, 1, a.view(),
                         b.view(), 0, out.view());
  });
  return 2.0 * kGemmSize * kGemmSize * kGemmSize / seconds;
}

double fused_rate(CpuContext& context) {
  using Lanes [[gnu::vector_size(64)]] = float;
  constexpr int kChains = 12;  // enough to hide the latency, few enough for the registers
  constexpr double kOperations = 2.0 * kFusedRounds * kChains * sizeof(Lanes) / sizeof(float);
  const double seconds = fewest_seconds([&] {
    parallel_for(context, context.threads(), 1, [&](std::int64_t, std::int64_t) {
      Lanes sums[kChains];
      // Equal chains would be computed once.
      for (int chain = 0; chain < kChains; ++chain)
        sums[chain] = Lanes{} + static_cast<float>(chain);
      const Lanes factor = Lanes{} + 0.5F, term = Lanes{} + 1.0F;
      for (std::int64_t round = 0; round < kFusedRounds; ++round) {
        for (Lanes& sum : sums) sum = sum * factor + term;
      }
      for (const Lanes& sum : sums) benchmark::DoNotOptimize(sum[0]);
    });
  });
  return kOperations * context.threads() / seconds;
}

// Under an instruction counter measuring takes minutes and means nothing: shares of infinity are 0.
Ceilings measured() {
  CpuContext context;
  if (std::getenv("M2ST_NO_CEILINGS") != nullptr) {
    constexpr double kUnknown = std::numeric_limits<double>::infinity();
    return {context.threads(), kUnknown, kUnknown, kUnknown};
  }
  return {context.threads(), copy_rate(context), gemm_rate(context), fused_rate(context)};
}

}  // namespace

const Ceilings& ceilings() {
  static const Ceilings kCeilings = measured();
  return kCeilings;
}

}  // namespace m2st::bench
