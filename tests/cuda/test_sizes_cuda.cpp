// What the tests shared with the CPU do not reach: the larger of two tiles, many levels of a scan,
// the Jacobi sweeps that take a launch a round, rows that 16-byte accesses do not fit. The CPU's
// kernels are the oracle: they have their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/fill.h"
#include "kernels/project_heads.h"
#include "tests/backends/cuda/test_backend.h"
#include "tests/cuda/on_device.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"

namespace m2st::kernels {
namespace {

using test::near;
using test::random_graph;
using test::random_values;
using test::relative_error;
using test::StagedCuda;
using test::TestGraph;

class SizesOnCuda : public test::OnDevice<StagedCuda> {
 protected:
  CpuContext cpu_{2};
};

TEST_F(SizesOnCuda, FillWritesAllAndNoMore) {
  for (const std::int64_t size : {0, 1, 31, 32, 33, 1023, 1024, 1025, 5000}) {
    std::vector<float> values(static_cast<std::size_t>(size) + 1, -1.0f);

    fill<float>(*cuda_, 3.0f, Span<float>(values).first(static_cast<std::size_t>(size)));

    EXPECT_EQ(std::count(values.begin(), values.end(), 3.0f), size);
    EXPECT_EQ(values.back(), -1.0f);
  }
}

constexpr MatmulPrecision kPrecisions[] = {MatmulPrecision::kHighest, MatmulPrecision::kHigh,
                                           MatmulPrecision::kMedium};

// 9 × 8 tiles of 128 × 128, the last ones cut.
TEST_F(SizesOnCuda, LargeTilesMultiplyAsSmallOnesDo) {
  const std::int64_t rows = 1100, cols = 1000, depth = 37;
  const auto a = random_values<float>(rows * depth, 1);
  const auto b = random_values<float>(depth * cols, 2);
  std::vector<float> got(static_cast<std::size_t>(rows * cols)), want(got);
  const MatrixView<const float> left{a.data(), rows, depth}, right{b.data(), depth, cols};

  for (const MatmulPrecision precision : kPrecisions) {
    cuda_->set_matmul_precision(precision);
    cpu_.set_matmul_precision(precision);

    gemm<float>(*cuda_, Layout::kPlain, Layout::kPlain, 1.0f, left, right, 0.0f,
                {got.data(), rows, cols});
    gemm<float>(cpu_, Layout::kPlain, Layout::kPlain, 1.0f, left, right, 0.0f,
                {want.data(), rows, cols});

    EXPECT_TRUE(near(got, want, relative_error(1e-6)));  // 37 terms in another order
  }
}

// 9 tiles of 128 × 128 for each of eight heads.
TEST_F(SizesOnCuda, LargeTilesOfHeadsMultiplyAsSmallOnesDo) {
  const std::int64_t rows = 1100, heads = 8, features = 3, depth = 5;
  const auto x = random_values<float>(rows * heads * depth, 1);
  const auto weight = random_values<float>(heads * features * depth, 2);
  std::vector<float> got(static_cast<std::size_t>(rows * heads * features)), want(got);
  const MatrixView<const float> left{x.data(), rows, heads * depth},
      right{weight.data(), heads * features, depth};
  for (const MatmulPrecision precision : kPrecisions) {
    cuda_->set_matmul_precision(precision);
    cpu_.set_matmul_precision(precision);

    project_heads<float>(*cuda_, heads, left, right, {}, {got.data(), rows, heads * features},
                         Accumulate::kOverwrite);
    project_heads<float>(cpu_, heads, left, right, {}, {want.data(), rows, heads * features},
                         Accumulate::kOverwrite);

    EXPECT_TRUE(near(got, want, relative_error(1e-6)));  // 5 terms in another order
  }
}

TEST_F(SizesOnCuda, ScanOfManyChunksIsTheRunningSum) {
  for (const std::int64_t size : {1023, 1024, 1025, 4097, 1100000}) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(size)), offsets(counts.size() + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<std::int64_t>(i % 7);

    exclusive_scan(*cuda_, counts, offsets);

    std::vector<std::int64_t> want(offsets.size(), 0);
    std::partial_sum(counts.begin(), counts.end(), want.begin() + 1);
    EXPECT_EQ(offsets, want) << size;
  }
}

TEST_F(SizesOnCuda, SortKeepsTheOrderOfEqualsOverManyWarps) {
  for (const std::int64_t size : {31, 32, 33, 1024, 1025, 9001}) {
    std::vector<std::uint64_t> keys(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = (i * 2654435761u % 100) << (8 * (i % 8));  // every byte decides something
    }
    std::vector<std::int32_t> order(keys.size()), want(keys.size());

    argsort(*cuda_, keys, order);
    argsort(cpu_, keys, want);

    EXPECT_EQ(order, want) << size;
  }
}

// More vectors than one block rotates.
template <class T>
void expect_large_spectrum(StagedCuda& cuda, CpuContext& cpu, double values_error,
                           double vectors_error) {
  const std::int64_t n = 131;
  auto a = random_values<T>(n * n, 3);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < i; ++j) a[i * n + j] = a[j * n + i];
  }
  const MatrixView<const T> matrix{a.data(), n, n};
  std::vector<T> got(n), want(n), vectors(n * n), vectors_of_cpu(n * n);

  symmetric_eigen<T>(cuda, matrix, got, {vectors.data(), n, n});
  symmetric_eigen<T>(cpu, matrix, want, {vectors_of_cpu.data(), n, n});

  EXPECT_TRUE(near(got, want, relative_error(values_error)));
  EXPECT_TRUE(near(vectors, vectors_of_cpu, relative_error(vectors_error)));
}

// Eigenvalues of a random matrix lie some 0.1 apart: vectors keep all but three digits.
TEST_F(SizesOnCuda, EigenvaluesOfALargeMatrixAreTheCpus) {
  expect_large_spectrum<double>(*cuda_, cpu_, 1e-13, 1e-10);
  expect_large_spectrum<float>(*cuda_, cpu_, 1e-5, 1e-2);
}

// The norms behind the condition are sums of several parts. a = I + c/n · 11ᵀ, whose inverse is
// I − c/(n (1 + c)) · 11ᵀ.
TEST_F(SizesOnCuda, ConditionOfALargeSystemIsExact) {
  const std::int64_t n = 150;
  const double c = 9, share = c / static_cast<double>(n);
  std::vector<double> a(n * n, share), got(n), want = random_values<double>(n, 6);
  for (std::int64_t i = 0; i < n; ++i) a[i * n + i] += 1;
  std::vector<double> right_side = want;
  const double sum = std::accumulate(want.begin(), want.end(), 0.0);
  for (double& value : right_side) value += share * sum;

  const double reciprocal = solve_general<double>(*cuda_, {a.data(), n, n},
                                                  {right_side.data(), n, 1}, {got.data(), n, 1});

  EXPECT_NEAR(1 / reciprocal, 1 + c + (n - 2) * share, 1e-11);
  EXPECT_TRUE(near(got, want, relative_error(1e-12)));
}

TEST_F(SizesOnCuda, PrincipalComponentsOfFloatsAreTheCpus) {
  for (const std::int64_t rows : {0, 33, 300}) {
    const std::int64_t cols = 7, count = rows == 0 ? 0 : 3;
    const auto x = random_values<float>(rows * cols, 7);
    const MatrixView<const float> table{x.data(), rows, cols};
    const auto results = [&](auto& context) {
      std::vector<double> mean(cols, -1), axes(count * cols), variances(count);
      std::vector<float> scores(rows * count);
      principal_components<float>(context, table, mean, {axes.data(), count, cols}, variances);
      project<float, float>(context, table, mean, {axes.data(), count, cols},
                            {scores.data(), rows, count});
      mean.insert(mean.end(), variances.begin(), variances.end());
      mean.insert(mean.end(), scores.begin(), scores.end());
      return mean;
    };

    EXPECT_TRUE(near(results(*cuda_), results(cpu_), relative_error(1e-6))) << rows;
  }
}

// Widths that allow packs of four, two and one, for one head and for many, with a hub.
TEST_F(SizesOnCuda, AttentionOfAnyWidthIsTheCpus) {
  const TestGraph graph = random_graph(80, 4, {.hub_degree = 1000});
  for (const auto& [heads, width] : {std::pair<std::int64_t, std::int64_t>{1, 128},
                                     {1, 300},
                                     {4, 64},
                                     {2, 66},
                                     {3, 33},
                                     {33, 2},
                                     {40, 1}}) {
    const std::int64_t nodes = graph.nodes(), row = heads * width;
    const auto projected = random_values<float>(nodes * row, 1);
    const auto source = random_values<float>(nodes * heads, 2);
    const auto destination = random_values<float>(nodes * heads, 3);
    const auto bias = random_values<float>(row, 4), grad_out = random_values<float>(nodes * row, 5);
    const AttentionOptions options{0.2, 0.25, {7, stream_of(Purpose::kTest, 1), 3}, {}};
    const auto layer = [&](auto& context) {
      std::vector<float> out(nodes * row), log_sums(nodes * heads);
      std::vector<float> grads(nodes * row + 2 * nodes * heads + row);
      const MatrixView<const float> x{projected.data(), nodes, row};
      const MatrixView<const float> s{source.data(), nodes, heads};
      const MatrixView<const float> d{destination.data(), nodes, heads};
      gat_attention<float>(context, graph.view(), options, x, s, d, bias,
                           {log_sums.data(), nodes, heads}, {out.data(), nodes, row});
      float* const grad_source = grads.data() + nodes * row;
      float* const grad_destination = grad_source + nodes * heads;
      gat_attention_backward<float>(
          context, graph.view(), options, x, s, d, bias, {log_sums.data(), nodes, heads},
          {out.data(), nodes, row}, {grad_out.data(), nodes, row}, {grads.data(), nodes, row},
          {grad_source, nodes, heads}, {grad_destination, nodes, heads},
          {grad_destination + nodes * heads, static_cast<std::size_t>(row)},
          Accumulate::kOverwrite);
      out.insert(out.end(), grads.begin(), grads.end());
      return out;
    };

    const std::vector<float> got = layer(*cuda_), want = layer(cpu_);

    // Sums of 1,000 edges and more, in another order.
    EXPECT_TRUE(near(got, want, relative_error(2e-5))) << heads << " x " << width;
  }
}

}  // namespace
}  // namespace m2st::kernels
