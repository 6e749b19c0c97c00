// Preparation from counts to features: recipes, what is refused and why, and what stays empty.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/prep/prepare.h"
#include "tests/data/sparse.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/random_dense.h"
#include "tests/support/thread_counts.h"

namespace m2st {
namespace {

using data::Expression;
using data::Prepared;
using data::PrepareOptions;
using data::Recipe;
using test::expect_error;

// Entries are floats, and sums of a hundred of their products.
constexpr test::Tolerance kFloats = {2e-6, 2e-5};

Expression expression_of(const reference::Dense<float>& x) {
  Expression expression;
  expression.values = test::sparse(x);
  for (std::int64_t i = 0; i < x.rows; ++i) expression.cells.push_back("cell" + std::to_string(i));
  for (std::int64_t g = 0; g < x.cols; ++g) expression.genes.push_back("gene" + std::to_string(g));
  return expression;
}

Prepared prepared(CpuContext& context, const reference::Dense<float>& x,
                  const PrepareOptions& options) {
  Expression expression = expression_of(x);
  return data::prepare(context, expression, options);
}

PrepareOptions recipe(Recipe name) {
  PrepareOptions options;
  data::apply_recipe(name, options);
  return options;
}

std::vector<double> column_deviations(const reference::Dense<double>& centred) {
  std::vector<double> out;
  for (std::int64_t c = 0; c < centred.cols; ++c) {
    double squares = 0;
    for (std::int64_t i = 0; i < centred.rows; ++i) squares += centred(i, c) * centred(i, c);
    out.push_back(squares > 0 ? std::sqrt(squares / static_cast<double>(centred.rows - 1)) : 1);
  }
  return out;
}

// Totals of `target`, log1p where asked, variance 1: dense and naive.
reference::Dense<double> naive_scaled(const reference::Dense<float>& counts, double target,
                                      bool log, double limit) {
  auto x = test::converted<double>(counts);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double total = 0;
    for (std::int64_t g = 0; g < x.cols; ++g) total += x(i, g);
    for (std::int64_t g = 0; g < x.cols && total > 0; ++g) {
      x(i, g) *= target / total;
      if (log) x(i, g) = std::log1p(x(i, g));
    }
  }
  x = reference::centred(x);
  const std::vector<double> deviations = column_deviations(x);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t g = 0; g < x.cols; ++g) {
      x(i, g) = std::clamp(x(i, g) / deviations[static_cast<std::size_t>(g)], -limit, limit);
    }
  }
  return x;
}

std::vector<double> values_of(const Prepared& result) {
  return {result.features.span().begin(), result.features.span().end()};
}

TEST(Prepare, ScaledLogsMatchADenseComputation) {
  CpuContext context(2);
  const auto counts = test::random_counts(120, 30, 0.4, 1);
  PrepareOptions options = recipe(Recipe::kLog);
  options.pca = false;
  options.scaling.max_value = 1.5;

  const Prepared result = prepared(context, counts, options);

  EXPECT_TRUE(
      test::near(values_of(result), naive_scaled(counts, 1e4, true, 1.5).values, kFloats, 30));
}

TEST(Prepare, ComponentsAreThoseOfTheScaledValues) {
  CpuContext context(2);
  const auto counts = test::random_counts(90, 25, 0.5, 2);
  PrepareOptions options = recipe(Recipe::kLog);
  options.components = 25;
  const auto expected = naive_scaled(counts, 1e4, true, 1e9);

  const Prepared result = prepared(context, counts, options);

  reference::Dense<double> scores(90, 25), axes(25, 25);
  scores.values = values_of(result);
  axes.values.assign(result.axes.span().begin(), result.axes.span().end());
  EXPECT_TRUE(test::near(reference::product(scores, axes).values, expected.values, kFloats, 25));
  EXPECT_NEAR(result.total_variance, 25, 1e-4);
  for (std::size_t c = 1; c < 25; ++c) EXPECT_GE(result.variances[c - 1], result.variances[c]);
}

TEST(Prepare, TheReferenceRecipeLeavesDominantGenesOutOfTotals) {
  CpuContext context(2);
  reference::Dense<float> counts = test::random_counts(60, 40, 0.6, 3);
  for (std::int64_t i = 0; i < 60; ++i) counts(i, 39) = static_cast<float>(1000 + i % 7);
  PrepareOptions options = recipe(Recipe::kReference);
  options.pca = options.scale = false;
  options.max_fraction = 0.5;

  const Prepared result = prepared(context, counts, options);

  for (std::int64_t i = 0; i < 60; ++i) {
    double others = 0;
    for (std::int64_t g = 0; g < 39; ++g) others += counts(i, g);
    EXPECT_NEAR(result.features(i, 39), counts(i, 39) / others, 1e-4);
    EXPECT_NEAR(result.features(i, 3), counts(i, 3) / others, 1e-7);
  }
}

TEST(Prepare, GenesTooManyToDominateAreCounted) {
  CpuContext context(2);
  const reference::Dense<float> counts = test::random_counts(60, 12, 0.5, 3);
  const auto first_total = [&](data::DominantGenes dominant) {
    PrepareOptions options = recipe(Recipe::kReference);
    options.pca = options.scale = false;
    options.dominant = dominant;
    const Prepared result = prepared(context, counts, options);
    double total = 0;
    for (std::int64_t g = 0; g < 12; ++g) total += result.features(0, g);
    return total;
  };
  double count = 0;
  for (std::int64_t g = 0; g < 12; ++g) count += counts(0, g);

  EXPECT_NEAR(first_total(data::DominantGenes::kLeftOutIfFew), 1, 1e-6);
  EXPECT_NEAR(first_total(data::DominantGenes::kCounted), 1, 1e-6);
  // Twelve genes are each above 5 % of some cell: nothing is left to divide by.
  EXPECT_NEAR(first_total(data::DominantGenes::kLeftOut), count, 1e-4);
}

TEST(Prepare, WithoutATargetEveryCellGetsTheMedianTotal) {
  CpuContext context(2);
  reference::Dense<float> counts(5, 2);
  const float totals[] = {2, 0, 4, 10, 8};
  for (std::int64_t i = 0; i < 5; ++i) counts(i, 0) = counts(i, 1) = totals[i] / 2;
  PrepareOptions options = recipe(Recipe::kNone);
  options.normalise = true;
  options.target_sum = 0;
  options.pca = false;

  const Prepared result = prepared(context, counts, options);

  for (const std::int64_t i : {0, 2, 3, 4}) EXPECT_EQ(result.features(i, 0), 3);
  EXPECT_EQ(result.features(1, 0), 0);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("1 cell has no counts"), std::string::npos);
}

TEST(Prepare, FiltersKeepPositionsOfTheInput) {
  CpuContext context(2);
  reference::Dense<float> counts = test::random_counts(40, 12, 0.9, 4);
  for (std::int64_t g = 0; g < 12; ++g) counts(7, g) = 0;
  for (std::int64_t i = 0; i < 40; ++i) counts(i, 4) = i == 9 ? 1.0F : 0.0F;
  PrepareOptions options = recipe(Recipe::kNone);
  options.min_counts = 1;
  options.min_cells = 2;
  options.components = 3;

  const Prepared result = prepared(context, counts, options);

  EXPECT_EQ(result.features.rows(), 39);
  EXPECT_EQ(result.cells[6], 6);
  EXPECT_EQ(result.cells[7], 8);
  EXPECT_EQ(result.genes, (std::vector<std::int32_t>{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(result.axes.cols(), 11);
}

TEST(Prepare, VariableGenesArePositionsOfTheInput) {
  CpuContext context(2);
  reference::Dense<float> counts = test::random_counts(80, 300, 0.5, 5);
  for (std::int64_t i = 0; i < 80; ++i) {
    counts(i, 0) = 0;
    counts(i, 17) = static_cast<float>(i % 16 == 0 ? 9 : 0);
  }
  for (const auto flavour : {data::VariableGenes::kSeurat, data::VariableGenes::kSeuratV3}) {
    PrepareOptions options = recipe(Recipe::kLog);
    options.variable_genes = flavour;
    options.top_genes = 5;

    const Prepared result = prepared(context, counts, options);

    EXPECT_GE(result.genes.size(), 5U);  // seurat keeps ties
    EXPECT_LT(result.genes.size(), 40U);
    EXPECT_GT(result.genes.front(), 0);
    if (flavour == data::VariableGenes::kSeuratV3) {
      EXPECT_EQ(std::count(result.genes.begin(), result.genes.end(), 17), 1);
    }
    EXPECT_EQ(result.axes.cols(), static_cast<std::int64_t>(result.genes.size()));
  }
}

TEST(Prepare, SignsFollowTheRuleAskedFor) {
  CpuContext context(2);
  const auto counts = test::random_counts(50, 20, 0.5, 6);
  PrepareOptions options = recipe(Recipe::kLog);
  options.components = 6;
  options.sign = data::SignRule::kScores;

  const Prepared result = prepared(context, counts, options);

  for (std::int64_t c = 0; c < 6; ++c) {
    float low = 0, high = 0;
    for (std::int64_t i = 0; i < 50; ++i) {
      low = std::min(low, result.features(i, c));
      high = std::max(high, result.features(i, c));
    }
    EXPECT_GE(high, -low) << c;
  }
}

TEST(Prepare, ResultsDoNotDependOnThreads) {
  const auto counts = test::random_counts(400, 90, 0.2, 7);
  test::expect_same_bytes_for_any_threads([&](CpuContext& context) {
    Expression expression = expression_of(counts);
    PrepareOptions options = recipe(Recipe::kLog);
    options.top_genes = 60;
    const Prepared result = data::prepare(context, expression, options);
    return std::vector<float>(result.features.span().begin(), result.features.span().end());
  });
}

TEST(Prepare, FewerComponentsThanUsualAreAWarning) {
  CpuContext context(2);
  const Prepared result =
      prepared(context, test::random_counts(9, 30, 0.5, 8), recipe(Recipe::kLog));
  EXPECT_EQ(result.features.cols(), 8);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].find("8 principal components, fewer than the usual 50"),
            std::string::npos);

  const Prepared pair = prepared(context, test::random_counts(2, 30, 0.5, 9), recipe(Recipe::kLog));
  EXPECT_EQ(pair.features.cols(), 1);
}

TEST(Prepare, MoreComponentsThanThereAreIsRefused) {
  CpuContext context(2);
  PrepareOptions options = recipe(Recipe::kLog);
  options.components = 31;
  expect_error(ExitCode::kParameterImpossible, {"31 asked for", "100 cells with 30 genes"},
               [&] { prepared(context, test::random_counts(100, 30, 0.5, 10), options); });
}

TEST(Prepare, NegativeValuesAreNamedAndRefused) {
  CpuContext context(2);
  auto counts = test::random_counts(20, 6, 0.5, 11);
  counts(4, 2) = -0.5F;
  expect_error(ExitCode::kInputInvalid,
               {"-0.5", "'cell4'", "'gene2'", "negative", "normalisation", "--recipe none"},
               [&] { prepared(context, counts, recipe(Recipe::kLog)); });
  EXPECT_EQ(prepared(context, counts, recipe(Recipe::kNone)).features.rows(), 20);
}

TEST(Prepare, LogsAreNotTakenTwice) {
  CpuContext context(2);
  auto logs = test::random_counts(20, 6, 0.5, 12);
  for (float& value : logs.values) value = std::log1p(value);
  expect_error(ExitCode::kInputInvalid, {"not a whole number", "look logged already", "--layer"},
               [&] { prepared(context, logs, recipe(Recipe::kLog)); });
  PrepareOptions options = recipe(Recipe::kNone);
  options.log1p = true;
  expect_error(ExitCode::kInputInvalid, {"log them twice", "--log1p off"},
               [&] { prepared(context, logs, options); });
}

TEST(Prepare, NormalisedValuesMayBeLogged) {
  CpuContext context(2);
  auto values = test::random_counts(20, 6, 0.5, 13);
  for (float& value : values.values) value *= 33.4F;
  PrepareOptions options = recipe(Recipe::kNone);
  options.log1p = true;
  EXPECT_EQ(prepared(context, values, options).features.rows(), 20);
  expect_error(ExitCode::kInputInvalid, {"look normalised already"},
               [&] { prepared(context, values, recipe(Recipe::kReference)); });
}

TEST(Prepare, ValuesThatAreNoNumbersAreRefused) {
  CpuContext context(2);
  auto counts = test::random_counts(20, 6, 0.5, 14);
  counts(3, 1) = std::nanf("");
  expect_error(ExitCode::kInputInvalid, {"'cell3'", "'gene1'", "not a number"},
               [&] { prepared(context, counts, recipe(Recipe::kNone)); });
}

TEST(Prepare, NothingToTellCellsApartIsRefused) {
  CpuContext context(2);
  reference::Dense<float> alike(10, 4), one(1, 4);
  for (float& value : alike.values) value = 2;
  for (float& value : one.values) value = 2;
  for (const auto& counts : {alike, one}) {
    expect_error(ExitCode::kInputInvalid, {"nothing to tell them apart"},
                 [&] { prepared(context, counts, recipe(Recipe::kLog)); });
  }
  expect_error(ExitCode::kInputInvalid, {"all values are zero"},
               [&] { prepared(context, reference::Dense<float>(10, 4), recipe(Recipe::kLog)); });
  expect_error(ExitCode::kInputInvalid, {"0 cells"},
               [&] { prepared(context, reference::Dense<float>(0, 4), recipe(Recipe::kLog)); });
  PrepareOptions strict = recipe(Recipe::kLog);
  strict.min_genes = 5;
  expect_error(ExitCode::kParameterImpossible, {"lower --min-genes"},
               [&] { prepared(context, alike, strict); });
}

}  // namespace
}  // namespace m2st
