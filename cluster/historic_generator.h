// The multiplicative congruential generator that seeded numerical work for decades (Lewis, Goodman
// and Miller 1969): x ← 16807 x mod 2³¹−1, each number x / (2³¹−1), in (0, 1). A seed is the first
// x that is multiplied; 0 stands for 1144108930, as in the fourth MATLAB, whose first numbers were
// 0.2190, 0.0470, 0.6789. Numbers come one after the other: arrays are filled column by column.
#pragma once

#include <cstdint>

#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::cluster {

class HistoricGenerator {
 public:
  // Seeds are taken modulo 2³¹−1.
  explicit HistoricGenerator(std::uint64_t seed);

  double next();
  Matrix<double> matrix(CpuContext& context, std::int64_t rows, std::int64_t cols);

 private:
  std::uint64_t state_ = 0;
};

}  // namespace m2st::cluster
