// Highly variable genes against scanpy 1.11.5 (with scikit-misc 0.5.3, pandas 2) on 40 cells and 60
// genes of every kind: rare, dense, constant, absent.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "data/prep/normalise.h"
#include "data/prep/variable_genes.h"
#include "tests/data/sparse.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

constexpr std::int64_t kCells = 40, kGenes = 60;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// Both sides compute in double; powers, logarithms and a least squares fit lie between.
constexpr double kTolerance = 1e-10;
// Entries are floats: 6e-8 of each, and dispersions near their bin's mean lose a digit.
constexpr double kLoggedTolerance = 1e-5;

const std::vector<double> kSeuratV3 = {1.0114658070220952,
                                       0.4934159802353636,
                                       0.2470889488778632,
                                       0.7078174180942234,
                                       0.6398986386994576,
                                       0.0,
                                       0.0,
                                       1.4879681047612556,
                                       2.440572525223008,
                                       1.9491567220927857,
                                       1.995969984569971,
                                       3.6427714844923944,
                                       1.245075019576162,
                                       2.468619498035775,
                                       1.606209548163884,
                                       4.993209121011484,
                                       4.147549211034447,
                                       0.0629834272847827,
                                       0.17580957718304452,
                                       0.33578865717658646,
                                       0.249239696985841,
                                       0.6452598717750179,
                                       0.67968880553112,
                                       0.9781153592012003,
                                       1.5157280754949247,
                                       1.4699109137643864,
                                       1.8236405856527513,
                                       0.9886556543172865,
                                       2.820026195903372,
                                       2.4258226341838576,
                                       1.6060671437993368,
                                       3.1538105922716926,
                                       2.410609106628808,
                                       3.2459970740602118,
                                       0.08577272007180811,
                                       0.12926468203673053,
                                       1.9837346795149238,
                                       0.2257162834726631,
                                       0.7234784062634448,
                                       0.7395109629981362,
                                       1.0949312554237098,
                                       1.3789132807579796,
                                       1.0418179508595187,
                                       1.4210113118637058,
                                       2.998512338034296,
                                       3.4009245128445387,
                                       2.2835912768532545,
                                       2.056363350376959,
                                       2.06262979243917,
                                       1.9620502261510453,
                                       0.7083150124570585,
                                       0.2638353049859607,
                                       0.13103230040757743,
                                       0.49689410996205824,
                                       0.6862827039957728,
                                       1.5767745516033638,
                                       0.7841990815301921,
                                       1.0731228260832062,
                                       0.8746450076881482,
                                       0.8415318129568151};
const std::vector<double> kSeurat = {1.0,
                                     -1.4606489507615559,
                                     -1.171481466392088,
                                     -0.8911564447323337,
                                     -0.272361495065642,
                                     kNone,
                                     1.0,
                                     0.5457775580979376,
                                     1.1776018783438016,
                                     1.3716004773133395,
                                     0.6080972532876739,
                                     1.202892034895117,
                                     0.2623685152755323,
                                     0.8613089513485417,
                                     -0.7071067811865475,
                                     0.7439948040154218,
                                     0.7071067811865478,
                                     -1.4504942954721833,
                                     -1.062082405063352,
                                     -0.5947267487116539,
                                     -1.63203529104168,
                                     -0.4746543820827245,
                                     -0.2540627951677023,
                                     1.0,
                                     0.7427635684249659,
                                     0.4550942072024158,
                                     0.14008609882549725,
                                     -0.450122566369253,
                                     1.030946820440775,
                                     0.7185531314966885,
                                     0.3542412236051913,
                                     0.9476760387095886,
                                     0.9273180928724206,
                                     1.2011740786462406,
                                     -1.713777956704367,
                                     -1.2536943770104068,
                                     0.7071067811865471,
                                     -1.006896249876159,
                                     -0.5003918733389762,
                                     1.0,
                                     0.19860165610005734,
                                     0.13764911413564085,
                                     0.2349517356368813,
                                     0.23059508063952783,
                                     0.5688503773211205,
                                     1.0709616648736322,
                                     -0.7071067811865474,
                                     0.8935412657855574,
                                     1.2581206954000015,
                                     0.5557891760538836,
                                     0.7071067811865475,
                                     -1.5449367975603363,
                                     -0.7071067811865477,
                                     -0.7071067811865482,
                                     0.7071067811865474,
                                     -0.40281658450568125,
                                     -0.7228157276669951,
                                     -0.305719245428266,
                                     -1.0703666443062803,
                                     -0.2053132014898162};

reference::Dense<double> counts() {
  reference::Dense<double> x(kCells, kGenes);
  for (std::int64_t i = 0; i < kCells; ++i) {
    for (std::int64_t g = 0; g < kGenes; ++g) {
      const std::int64_t varying =
          (i + 2 * g) % 5 != 0 ? (i * i * 5 + g * g * 3 + i * g * 11) % (3 + g % 17) : 0;
      x(i, g) = static_cast<double>((g * g + 7 * g) % 23 + varying + (i * g) % (1 + g % 4));
    }
    x(i, 5) = 0;
    x(i, 6) = 2;
  }
  return x;
}

data::SparseMatrix by_gene(CpuContext& context) {
  return data::transposed(context, test::sparse(counts()));
}

data::SparseMatrix logged_by_gene(CpuContext& context) {
  data::SparseMatrix genes = by_gene(context);
  const data::LibrarySizes sizes = data::library_sizes(context, test::sparse(counts()), genes, 100,
                                                       data::DominantGenes::kCounted, 0);
  data::normalise(context, sizes, genes);
  data::take_log1p(context, genes);
  return genes;
}

void expect_scores(const std::vector<double>& actual, const std::vector<double>& expected,
                   double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t g = 0; g < expected.size(); ++g) {
    if (std::isnan(expected[g])) {
      EXPECT_TRUE(std::isnan(actual[g])) << g;
    } else {
      EXPECT_NEAR(actual[g], expected[g], tolerance) << g;
    }
  }
}

TEST(VariableGenes, SeuratV3MatchesScanpy) {
  CpuContext context(2);

  const std::vector<double> scores = data::seurat_v3_scores(context, by_gene(context));

  expect_scores(scores, kSeuratV3, kTolerance);
  EXPECT_EQ(data::top_genes(scores, 6), (std::vector<std::int32_t>{11, 15, 16, 31, 33, 45}));
}

TEST(VariableGenes, SeuratMatchesScanpy) {
  CpuContext context(2);

  const std::vector<double> scores = data::seurat_scores(context, logged_by_gene(context));

  expect_scores(scores, kSeurat, kLoggedTolerance);
  EXPECT_EQ(data::genes_from_cutoff(scores, 6), (std::vector<std::int32_t>{8, 9, 11, 33, 45, 48}));
}

TEST(VariableGenes, ScoresDoNotDependOnThreads) {
  test::expect_same_bytes_for_any_threads(
      [](CpuContext& context) { return data::seurat_v3_scores(context, by_gene(context)); });
}

TEST(VariableGenes, TiesKeepTheOrderOfTheInputOrAreAllKept) {
  const std::vector<double> scores = {1, 3, kNone, 2, 3, 2, 2};

  EXPECT_EQ(data::top_genes(scores, 3), (std::vector<std::int32_t>{1, 3, 4}));
  EXPECT_EQ(data::genes_from_cutoff(scores, 3), (std::vector<std::int32_t>{1, 3, 4, 5, 6}));
  EXPECT_EQ(data::top_genes(scores, 100).size(), 6U);
  EXPECT_EQ(data::genes_from_cutoff(scores, 100).size(), 6U);
  EXPECT_TRUE(data::genes_from_cutoff(std::vector<double>{kNone}, 1).empty());
  EXPECT_TRUE(data::top_genes({}, 5).empty());
}

TEST(VariableGenes, FewAndConstantGenesHaveScores) {
  CpuContext context(1);
  reference::Dense<double> one_gene(5, 1);
  one_gene(2, 0) = 4;
  const reference::Dense<double> nothing(5, 3);

  EXPECT_EQ(
      data::seurat_v3_scores(context, data::transposed(context, test::sparse(one_gene))).size(),
      1U);
  EXPECT_EQ(data::seurat_v3_scores(context, data::transposed(context, test::sparse(nothing))),
            (std::vector<double>{0, 0, 0}));
  for (const double score :
       data::seurat_scores(context, data::transposed(context, test::sparse(nothing)))) {
    EXPECT_TRUE(std::isnan(score));
  }
}

}  // namespace
}  // namespace m2st
