// Orders and offsets. Argument: entries. Bytes count every key and index once; a sort passes over
// them many times, so its share of the copy rate says how far it is from one pass.
#include "bench/support.h"
#include "kernels/sort.h"

namespace m2st::bench {
namespace {

std::vector<std::uint64_t> random_keys(std::int64_t count) {
  std::vector<std::uint64_t> keys;
  for (std::int64_t i = 0; i < count; ++i) {
    const PhiloxBlock bits = philox(1, {{static_cast<std::uint32_t>(i), 0, 0, 0}});
    keys.push_back(static_cast<std::uint64_t>(bits.word[0]) << 32 | bits.word[1]);
  }
  return keys;
}

void argsort(benchmark::State& state) {
  CpuContext context;
  const std::vector<std::uint64_t> keys = random_keys(state.range(0));
  std::vector<std::int32_t> order(keys.size());
  for (auto _ : state) kernels::argsort(context, keys, order);
  report(state, 12.0 * static_cast<double>(keys.size()), 0);
}

void invert_permutation(benchmark::State& state) {
  CpuContext context;
  std::vector<std::int32_t> order(static_cast<std::size_t>(state.range(0))), inverse(order.size());
  kernels::argsort(context, random_keys(state.range(0)), order);
  for (auto _ : state) kernels::invert_permutation(context, order, inverse);
  report(state, 8.0 * static_cast<double>(order.size()), 0);
}

void exclusive_scan(benchmark::State& state) {
  CpuContext context;
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(state.range(0)), 7);
  std::vector<std::int64_t> offsets(counts.size() + 1);
  for (auto _ : state) kernels::exclusive_scan(context, counts, offsets);
  report(state, 16.0 * static_cast<double>(counts.size()), static_cast<double>(counts.size()));
}

void sizes(benchmark::internal::Benchmark* family) {
  family->ArgName("entries")->Arg(3798)->Arg(41786)->Arg(1000000)->UseRealTime();
}
BENCHMARK(argsort)->Apply(sizes);
BENCHMARK(invert_permutation)->Apply(sizes);
BENCHMARK(exclusive_scan)->Apply(sizes);

}  // namespace
}  // namespace m2st::bench
