// Products stay below 2⁴⁶, so 64 bits need no tricks.
#include "cluster/historic_generator.h"

namespace m2st::cluster {
namespace {

constexpr std::uint64_t kMultiplier = 16807;          // 7⁵
constexpr std::uint64_t kModulus = (1ull << 31) - 1;  // a Mersenne prime
constexpr std::uint64_t kSeedOfZero = 1144108930;

}  // namespace

HistoricGenerator::HistoricGenerator(std::uint64_t seed) : state_(seed % kModulus) {
  if (state_ == 0) state_ = kSeedOfZero;
}

double HistoricGenerator::next() {
  state_ = kMultiplier * state_ % kModulus;
  return static_cast<double>(state_) / static_cast<double>(kModulus);
}

Matrix<double> HistoricGenerator::matrix(CpuContext& context, std::int64_t rows,
                                         std::int64_t cols) {
  Matrix<double> result(context.pool(), rows, cols);
  for (std::int64_t j = 0; j < cols; ++j) {
    for (std::int64_t i = 0; i < rows; ++i) result(i, j) = next();
  }
  return result;
}

}  // namespace m2st::cluster
