// The historic generator against values worked out by hand and published ones.
#include <gtest/gtest.h>

#include <set>

#include "cluster/historic_generator.h"
#include "cluster/reference_state.h"

namespace m2st::cluster {
namespace {

constexpr double kModulus = 2147483647;
constexpr double kPrinted = 5e-5;  // four printed decimals

TEST(HistoricGenerator, StartsWithThePowersOfItsMultiplier) {
  HistoricGenerator numbers(1);
  EXPECT_EQ(numbers.next(), 16807 / kModulus);
  EXPECT_EQ(numbers.next(), 282475249 / kModulus);
  EXPECT_EQ(numbers.next(), 1622650073 / kModulus);  // 16807³ − 2210 (2³¹ − 1)
  EXPECT_EQ(numbers.next(), 984943658 / kModulus);
}

TEST(HistoricGenerator, ReachesTheCheckValueOfParkAndMiller) {
  HistoricGenerator numbers(1);
  double last = 0;
  for (int i = 0; i < 10000; ++i) last = numbers.next();
  EXPECT_EQ(last, 1043618065 / kModulus);  // Communications of the ACM 31 (1988), page 1195
}

TEST(HistoricGenerator, SeedZeroGivesMatlabsFirstNumbers) {
  HistoricGenerator numbers(0);
  for (const double printed : {0.2190, 0.0470, 0.6789, 0.6793, 0.9347, 0.3835}) {
    EXPECT_NEAR(numbers.next(), printed, kPrinted);
  }
}

TEST(HistoricGenerator, SeedsCountModuloThePrime) {
  HistoricGenerator small(5), large(5ull + 2147483647ull), zero(0), prime(2147483647ull);
  EXPECT_EQ(small.next(), large.next());
  EXPECT_EQ(zero.next(), prime.next());
}

TEST(HistoricGenerator, FillsColumnByColumn) {
  CpuContext context(1);
  HistoricGenerator numbers(1), again(1);
  const Matrix<double> x = numbers.matrix(context, 2, 3);
  for (int j = 0; j < 3; ++j) {
    for (int i = 0; i < 2; ++i) EXPECT_EQ(x(i, j), again.next());
  }
}

// One view of 5 cells and 3 columns, 2 clusters, d_s = 2: after 10 numbers for S come P, W, V, H,
// V of H and the labels.
TEST(HistoricGenerator, DrawsTheStartInTheDocumentedOrder) {
  CpuContext context(1);
  std::vector<Matrix<double>> data;
  data.emplace_back(context.pool(), 5, 3);
  ReferenceOptions options;
  options.clusters = 2;
  options.specific_dim = 2;
  options.start = StartValues::kHistoric;
  options.seed = 7;

  const ReferenceState state = initial_state(context, data, options);

  HistoricGenerator numbers(7);
  for (int i = 0; i < 10; ++i) numbers.next();
  const ReferenceView& view = state.views[0];
  for (const Matrix<double>* drawn : {&view.specific_map, &view.common_map, &view.centres,
                                      &state.common, &state.common_centres}) {
    for (std::int64_t j = 0; j < drawn->cols(); ++j) {
      for (std::int64_t i = 0; i < drawn->rows(); ++i) EXPECT_EQ((*drawn)(i, j), numbers.next());
    }
  }
  for (const std::int32_t label : state.labels) EXPECT_EQ(label, numbers.next() < 0.5 ? 0 : 1);
}

// S spans the uniform numbers, its first row the direction of the greatest singular value: of
// positive numbers that one has no change of sign.
TEST(HistoricGenerator, StartsFromSingularVectorsGreatestFirst) {
  CpuContext context(1);
  std::vector<Matrix<double>> data;
  data.emplace_back(context.pool(), 40, 6);
  ReferenceOptions options;
  options.clusters = 3;
  options.specific_dim = 4;
  options.start = StartValues::kHistoric;

  const Matrix<double> specific =
      std::move(initial_state(context, data, options).views[0].specific);

  std::set<bool> signs;
  for (std::int64_t i = 0; i < 40; ++i) signs.insert(specific(0, i) > 0);
  EXPECT_EQ(signs.size(), 1);
  for (std::int64_t a = 0; a < 4; ++a) {
    for (std::int64_t b = 0; b < 4; ++b) {
      double dot = 0;
      for (std::int64_t i = 0; i < 40; ++i) dot += specific(a, i) * specific(b, i);
      EXPECT_NEAR(dot, a == b ? 1 : 0, 1e-12);  // eigenvalues of a 4 × 4 matrix in double
    }
  }
}

}  // namespace
}  // namespace m2st::cluster
