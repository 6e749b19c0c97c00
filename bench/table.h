// The table that benchmark programs print at their end: a line a benchmark with the median of its
// repetitions, their spread (half the range between the quartiles, in percent of the median), what
// it moved and computed a second, and these as shares of the ceilings. A dash: nothing stated.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace m2st::bench {

class TableReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  struct Line {
    std::int64_t family = 0, instance = 0;
    std::string text;
  };
  std::vector<Line> lines_;  // in the order in which the shuffled repetitions ended
};

}  // namespace m2st::bench
