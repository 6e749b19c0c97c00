// The main of every benchmark program: ceilings first, then each benchmark five times, the
// repetitions of all of them shuffled, so that a noisy minute spoils no single one. Any option of
// Google Benchmark overrides this; --benchmark_out=FILE.json keeps what bench/compare.py reads.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "bench/ceilings.h"
#include "bench/table.h"

namespace {

bool names_format(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (std::string_view(argument).substr(0, 18) == "--benchmark_format") return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  const std::vector<std::string> defaults = {"--benchmark_repetitions=5",
                                             "--benchmark_min_time=0.05",
                                             "--benchmark_enable_random_interleaving=true"};
  arguments.insert(arguments.begin() + 1, defaults.begin(), defaults.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  const bool format_given = names_format(arguments);
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;

  const m2st::bench::Ceilings& ceilings = m2st::bench::ceilings();
  benchmark::AddCustomContext("threads", std::to_string(ceilings.threads));
  benchmark::AddCustomContext("copy_bytes_per_second",
                              std::to_string(ceilings.copy_bytes_per_second));
  benchmark::AddCustomContext("gemm_flops_per_second",
                              std::to_string(ceilings.gemm_flops_per_second));
  benchmark::AddCustomContext("fused_flops_per_second",
                              std::to_string(ceilings.fused_flops_per_second));
  if (format_given) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    m2st::bench::TableReporter table;
    benchmark::RunSpecifiedBenchmarks(&table);
  }
  benchmark::Shutdown();
  return 0;
}
