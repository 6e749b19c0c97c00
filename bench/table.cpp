#include "bench/table.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "bench/ceilings.h"

namespace m2st::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

constexpr const char* kLine = "%-72s %10s %7s %7s %8s %6s %6s %7s";

std::string number(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (place - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

std::string readable_time(double seconds) {
  const char* units[] = {"s", "ms", "us", "ns"};
  int unit = 0;
  while (seconds < 1 && unit < 3) {
    seconds *= 1000;
    ++unit;
  }
  return number(seconds, "%.4g ") + units[unit];
}

// The counter of the median repetition, times `factor`; a dash when it is absent or 0.
std::string counter(const Run& run, const char* name, double factor, const char* format) {
  const auto found = run.counters.find(name);
  if (found == run.counters.end() || found->second.value == 0) return "-";
  return number(found->second.value * factor, format);
}

double seconds_of(const Run& run) {
  return run.GetAdjustedRealTime() / benchmark::GetTimeUnitMultiplier(run.time_unit);
}

// Without what every benchmark here has in its name.
std::string short_name(const Run& run) {
  benchmark::BenchmarkName name = run.run_name;
  name.repetitions.clear();
  name.time_type.clear();
  return name.str();
}

std::string line_of(std::vector<const Run*> repetitions) {
  std::sort(repetitions.begin(), repetitions.end(),
            [](const Run* a, const Run* b) { return seconds_of(*a) < seconds_of(*b); });
  std::vector<double> seconds;
  for (const Run* run : repetitions) seconds.push_back(seconds_of(*run));
  const double median = quantile(seconds, 0.5);
  const double spread = (quantile(seconds, 0.75) - quantile(seconds, 0.25)) / 2;
  const Run& middle = *repetitions[repetitions.size() / 2];
  char text[256];
  std::snprintf(
      text, sizeof text, kLine, short_name(middle).c_str(), readable_time(median).c_str(),
      number(100 * spread / median, "%.1f%%").c_str(), counter(middle, "B/s", 1e-9, "%.4g").c_str(),
      counter(middle, "FLOP/s", 1e-9, "%.4g").c_str(), counter(middle, "%copy", 1, "%.0f").c_str(),
      counter(middle, "%gemm", 1, "%.0f").c_str(),
      counter(middle, "peak_bytes", 1e-6, "%.0f").c_str());
  return text;
}

}  // namespace

bool TableReporter::ReportContext(const Context& context) {
  const Ceilings& c = ceilings();
  std::fprintf(stderr,
               "%d threads; ceilings: copy %.3g GB/s, GEMM %.4g GFLOP/s, peak %.4g GFLOP/s\n",
               c.threads, c.copy_bytes_per_second / 1e9, c.gemm_flops_per_second / 1e9,
               c.fused_flops_per_second / 1e9);
  if (context.cpu_info.scaling == benchmark::CPUInfo::ENABLED) {
    std::fprintf(stderr, "the processor changes its frequency: expect noise\n");
  }
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<const Run*> repetitions;
  for (const Run& run : runs) {
    if (run.run_type == Run::RT_Iteration) repetitions.push_back(&run);
  }
  if (repetitions.empty()) return;
  const Run& first = *repetitions.front();
  const auto failed =
      std::find_if(runs.begin(), runs.end(), [](const Run& run) { return run.error_occurred; });
  lines_.push_back({first.family_index, first.per_family_instance_index,
                    failed == runs.end() ? line_of(repetitions)
                                         : short_name(first) + ": " + failed->error_message});
  std::fprintf(stderr, "\r%zu benchmarks done", lines_.size());
}

void TableReporter::Finalize() {
  std::fprintf(stderr, "\n");
  std::sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
    return std::tie(a.family, a.instance) < std::tie(b.family, b.instance);
  });
  std::printf(kLine, "benchmark", "median", "spread", "GB/s", "GFLOP/s", "%copy", "%gemm", "MB");
  for (const Line& line : lines_) std::printf("\n%s", line.text.c_str());
  std::printf("\n");
}

}  // namespace m2st::bench
