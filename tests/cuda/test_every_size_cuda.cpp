// Every family of kernels at every size where threads, warps and blocks end: none, one, around a
// warp, several blocks; on graphs with isolated nodes and a hub. The CPU's kernels are the oracle:
// they have their own.
#include <gtest/gtest.h>

#include <type_traits>
#include <vector>

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

constexpr std::int64_t kSizes[] = {0, 1, 31, 32, 33, 700};
constexpr std::int64_t kWidth = 37;
constexpr std::int64_t kHeads = 4;

// Sums of up to a thousand terms in another order, each rounded to float.
constexpr double kTolerance = 2e-5;

class EverySizeOnCuda : public test::OnDevice<StagedCuda, testing::TestWithParam<std::int64_t>> {
 protected:
  std::int64_t size() const { return GetParam(); }

  // kernel(context, out): `out` has `values` entries and starts with numbers that are added to.
  template <class Kernel>
  void expect_same(const char* name, std::int64_t values, const Kernel& kernel) {
    const std::vector<float> start = random_values<float>(values, 9);
    std::vector<float> got = start, want = start;

    kernel(*cuda_, got.data());
    kernel(cpu_, want.data());

    EXPECT_TRUE(near(got, want, relative_error(kTolerance))) << name << ", size " << size();
  }

  CpuContext cpu_{1};  // ThreadSanitizer does not see what orders its other threads
};

// The owner of a random matrix.
struct Dense {
  std::vector<float> values;
  std::int64_t rows, cols;

  Dense(std::int64_t many, std::int64_t wide, std::uint64_t seed)
      : values(random_values<float>(many * wide, seed)), rows(many), cols(wide) {}
  MatrixView<const float> view() const { return {values.data(), rows, cols}; }
  Span<const float> span() const { return values; }
};

Span<float> first(float* data, std::int64_t size) { return {data, static_cast<std::size_t>(size)}; }

std::vector<std::int32_t> every_second(std::int64_t rows) {
  std::vector<std::int32_t> list;
  for (std::int64_t row = 0; row < rows; row += 2) list.push_back(static_cast<std::int32_t>(row));
  return list;
}

TEST_P(EverySizeOnCuda, Elements) {
  const Dense x(1, size(), 1), g(1, size(), 2);
  const float slope = 0.25f;
  const std::vector<float> slopes{slope};
  expect_same("prelu", size(),
              [&](auto& c, float* out) { prelu<float>(c, x.span(), slopes, first(out, size())); });
  expect_same("prelu_backward", size() + 1, [&](auto& c, float* out) {
    prelu_backward<float>(c, x.span(), slopes, g.span(), first(out, size()), Accumulate::kAdd,
                          first(out + size(), 1), Accumulate::kAdd);
  });
  expect_same("leaky_relu", size(), [&](auto& c, float* out) {
    leaky_relu<float>(c, x.span(), slope, first(out, size()));
  });
  expect_same("leaky_relu_backward", size(), [&](auto& c, float* out) {
    leaky_relu_backward<float>(c, x.span(), slope, g.span(), first(out, size()), Accumulate::kAdd);
  });
  expect_same("elu", size(),
              [&](auto& c, float* out) { elu<float>(c, x.span(), first(out, size())); });
  expect_same("elu_backward", size(), [&](auto& c, float* out) {
    elu_backward<float>(c, x.span(), g.span(), first(out, size()), Accumulate::kOverwrite);
  });
  expect_same("fill", size(),
              [&](auto& c, float* out) { fill<float>(c, 3.0f, first(out, size())); });
  expect_same("axpby", size(), [&](auto& c, float* out) {
    axpby<float>(c, 2.0f, x.span(), 0.5f, first(out, size()));
  });
  expect_same("adam_step", 3 * size(), [&](auto& c, float* out) {
    const Span<float> second = first(out + size(), size());
    fill<float>(c, 0.5f, second);  // a mean of squares
    adam_step<float>(c, {}, 3, x.span(), first(out, size()), second,
                     first(out + 2 * size(), size()));
  });
}

TEST_P(EverySizeOnCuda, Reductions) {
  const Dense x(1, size(), 1), y(1, size(), 2), table(size(), kWidth, 3);
  expect_same("sum, dot, max_abs", 3, [&](auto& c, float* out) {
    out[0] = static_cast<float>(sum<float>(c, x.span()));
    out[1] = static_cast<float>(dot<float>(c, x.span(), y.span()));
    out[2] = static_cast<float>(max_abs<float>(c, x.span()));
  });
  EXPECT_TRUE(all_finite<float>(*cuda_, x.span()));
  expect_same("column_sums", kWidth, [&](auto& c, float* out) {
    column_sums<float>(c, table.view(), first(out, kWidth), Accumulate::kAdd);
  });
  expect_same("row_squared_norms", size(), [&](auto& c, float* out) {
    row_squared_norms<float>(c, table.view(), first(out, size()));
  });
  if (size() == 0) return;  // no rows have no least and no mean
  expect_same("column_min_max", 2 * kWidth, [&](auto& c, float* out) {
    column_min_max<float>(c, table.view(), first(out, kWidth), first(out + kWidth, kWidth));
  });
  expect_same("column_moments", 2 * kWidth, [&](auto& c, float* out) {
    std::vector<double> mean(kWidth), variance(kWidth);
    column_moments<float>(c, table.view(), 0, mean, variance);
    for (std::int64_t k = 0; k < kWidth; ++k) {
      out[k] = static_cast<float>(mean[k]);
      out[kWidth + k] = static_cast<float>(variance[k]);
    }
  });
}

TEST_P(EverySizeOnCuda, Rows) {
  const std::vector<std::int32_t> rows = every_second(size());
  const Dense x(size(), kWidth, 1), few(std::ssize(rows), kWidth, 2), row(1, kWidth, 3),
      factors(1, size(), 4), other(size(), kWidth, 5);
  const std::int64_t all = size() * kWidth;
  const auto table = [&](float* out) { return MatrixView<float>{out, size(), kWidth}; };
  expect_same("gather_rows", std::ssize(rows) * kWidth, [&](auto& c, float* out) {
    gather_rows<float>(c, rows, x.view(), {out, std::ssize(rows), kWidth});
  });
  expect_same("scatter_rows", all, [&](auto& c, float* out) {
    scatter_rows<float>(c, rows, few.view(), table(out), Accumulate::kAdd);
  });
  expect_same("fill_rows", all,
              [&](auto& c, float* out) { fill_rows<float>(c, rows, row.span(), table(out)); });
  expect_same("fill_rows_backward", kWidth, [&](auto& c, float* out) {
    fill_rows_backward<float>(c, rows, x.view(), first(out, kWidth), Accumulate::kAdd);
  });
  expect_same("add_row", all,
              [&](auto& c, float* out) { add_row<float>(c, row.span(), table(out)); });
  expect_same("scale_rows", all,
              [&](auto& c, float* out) { scale_rows<float>(c, factors.span(), table(out)); });
  expect_same("scale_columns_backward", all + kWidth, [&](auto& c, float* out) {
    scale_columns_backward<float>(c, x.view(), row.span(), other.view(), table(out),
                                  Accumulate::kAdd, first(out + all, kWidth), Accumulate::kAdd);
  });
  expect_same("normalise_rows", all,
              [&](auto& c, float* out) { normalise_rows<float>(c, table(out)); });
  expect_same("affine_columns", all, [&](auto& c, float* out) {
    affine_columns<float>(c, row.span(), row.span(), table(out));
  });
  expect_same("dropout", all, [&](auto& c, float* out) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(size()), 7);
    dropout<float>(c, {1, stream_of(Purpose::kTest, 2), 3}, 0.3, ids, x.view(), table(out),
                   Accumulate::kOverwrite);
  });
  if (size() == 0) return;
  expect_same("min_max_columns", all,
              [&](auto& c, float* out) { min_max_columns<float>(c, table(out)); });
}

TEST_P(EverySizeOnCuda, HeadsAndScores) {
  const std::int64_t row = kHeads * kWidth, all = size() * row, scores = size() * kHeads;
  const Dense x(size(), row, 1), few(size(), kWidth, 2), source(kHeads, kWidth, 3),
      destination(kHeads, kWidth, 4), grad_source(size(), kHeads, 5),
      grad_destination(size(), kHeads, 6);
  expect_same("sum_heads", size() * kWidth, [&](auto& c, float* out) {
    sum_heads<float>(c, x.view(), {out, size(), kWidth});
  });
  expect_same("sum_heads_backward", all, [&](auto& c, float* out) {
    sum_heads_backward<float>(c, few.view(), {out, size(), row}, Accumulate::kAdd);
  });
  expect_same("node_scores", 2 * scores, [&](auto& c, float* out) {
    node_scores<float>(c, x.view(), source.view(), destination.view(), {out, size(), kHeads},
                       {out + scores, size(), kHeads});
  });
  expect_same("node_scores_backward", all + 2 * row, [&](auto& c, float* out) {
    node_scores_backward<float>(c, x.view(), source.view(), destination.view(), grad_source.view(),
                                grad_destination.view(), {out, size(), row}, Accumulate::kAdd,
                                {out + all, kHeads, kWidth}, {out + all + row, kHeads, kWidth},
                                Accumulate::kAdd);
  });
}

TEST_P(EverySizeOnCuda, Losses) {
  const std::vector<std::int32_t> rows = every_second(size());
  const Dense target(size(), kWidth, 1), output(size(), kWidth, 2);
  const std::int64_t all = size() * kWidth;
  if (rows.empty()) return;  // a mean over none
  expect_same("losses", 2, [&](auto& c, float* out) {
    out[0] =
        static_cast<float>(scaled_cosine_loss<float>(c, rows, 2.0, target.view(), output.view()));
    out[1] = static_cast<float>(mse_loss<float>(c, rows, target.view(), output.view()));
  });
  expect_same("scaled_cosine_loss_backward", all, [&](auto& c, float* out) {
    scaled_cosine_loss_backward<float>(c, rows, 2.0, target.view(), output.view(), 1.5,
                                       {out, size(), kWidth}, Accumulate::kAdd);
  });
  expect_same("mse_loss_backward", all, [&](auto& c, float* out) {
    mse_loss_backward<float>(c, rows, target.view(), output.view(), 1.5, {out, size(), kWidth},
                             Accumulate::kAdd);
  });
}

TEST_P(EverySizeOnCuda, ProductsAndDistances) {
  const std::vector<std::int32_t> rows = every_second(size());
  const Dense x(size(), kWidth, 1), weight(19, kWidth, 2), grad(size(), 19, 3),
      few(std::ssize(rows), kWidth, 4);
  expect_same("gemm", size() * 19, [&](auto& c, float* out) {
    gemm<float>(c, Layout::kPlain, Layout::kTransposed, 1.0f, x.view(), weight.view(), 0.5f,
                {out, size(), 19});
  });
  expect_same("gemm of a gradient", 19 * kWidth, [&](auto& c, float* out) {
    gemm<float>(c, Layout::kTransposed, Layout::kPlain, 1.0f, grad.view(), x.view(), 1.0f,
                {out, 19, kWidth});
  });
  expect_same("gemm_of_rows", 19 * kWidth, [&](auto& c, float* out) {
    gemm_of_rows<float>(c, rows, grad.view(), few.view(), 1.0f, {out, 19, kWidth});
  });
  expect_same("squared_distances", size() * 19, [&](auto& c, float* out) {
    squared_distances<float>(c, x.view(), weight.view(), {out, size(), 19});
  });
  expect_same("assign_nearest", 2 * size(), [&](auto& c, float* out) {
    std::vector<std::int32_t> labels(static_cast<std::size_t>(size()));
    assign_nearest<float>(c, x.view(), weight.view(), labels, first(out, size()));
    for (std::int64_t i = 0; i < size(); ++i) out[size() + i] = static_cast<float>(labels[i]);
  });
  expect_same("sums_by_label", 3 * kWidth, [&](auto& c, float* out) {
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < size(); ++i) labels.push_back(static_cast<std::int32_t>(i % 3));
    std::vector<double> sums(3 * kWidth);
    std::vector<std::int64_t> counts(3);
    sums_by_label<float>(c, x.view(), labels, {sums.data(), 3, kWidth}, counts);
    for (std::size_t k = 0; k < sums.size(); ++k) out[k] = static_cast<float>(sums[k]);
    EXPECT_EQ(counts[0], (size() + 2) / 3);
  });
}

TEST_P(EverySizeOnCuda, EdgesOfGraphsWithAHubAndIsolatedNodes) {
  const TestGraph graph =
      random_graph(static_cast<std::int32_t>(size()), 3, {.hub_degree = size() > 100 ? 1000 : 40});
  const GraphView view = graph.view();
  const std::int64_t edges = graph.edges(), row = kHeads * kWidth, all = size() * row;
  const Dense source(size(), kHeads, 1), destination(size(), kHeads, 2), weights(edges, kHeads, 3),
      grad_weights(edges, kHeads, 4), x(size(), row, 5), grad_out(size(), row, 6);
  const auto per_edge = [&](float* out) { return MatrixView<float>{out, edges, kHeads}; };
  const auto per_node = [&](float* out) { return MatrixView<float>{out, size(), row}; };
  expect_same("edge_scores", edges * kHeads, [&](auto& c, float* out) {
    edge_scores<float>(c, view.in, source.view(), destination.view(), 0.2f, per_edge(out));
  });
  expect_same("edge_scores_backward", 2 * size() * kHeads, [&](auto& c, float* out) {
    edge_scores_backward<float>(c, view, source.view(), destination.view(), 0.2f,
                                grad_weights.view(), {out, size(), kHeads},
                                {out + size() * kHeads, size(), kHeads}, Accumulate::kAdd);
  });
  expect_same("edge_softmax", edges * kHeads, [&](auto& c, float* out) {
    edge_softmax<float>(c, view.in, weights.view(), per_edge(out));
  });
  expect_same("edge_softmax_backward", edges * kHeads, [&](auto& c, float* out) {
    edge_softmax_backward<float>(c, view.in, weights.view(), grad_weights.view(), per_edge(out),
                                 Accumulate::kAdd);
  });
  expect_same("edge_dropout", edges * kHeads, [&](auto& c, float* out) {
    edge_dropout<float>(c, view, {1, stream_of(Purpose::kTest, 2), 3}, 0.3, weights.view(),
                        per_edge(out), Accumulate::kOverwrite);
  });
  expect_same("aggregate", all, [&](auto& c, float* out) {
    aggregate<float>(c, view.in, weights.view(), x.view(), per_node(out));
  });
  expect_same("aggregate_backward_features", all, [&](auto& c, float* out) {
    aggregate_backward_features<float>(c, view, weights.view(), grad_out.view(), per_node(out),
                                       Accumulate::kAdd);
  });
  expect_same("aggregate_backward_weights", edges * kHeads, [&](auto& c, float* out) {
    aggregate_backward_weights<float>(c, view.in, x.view(), grad_out.view(), per_edge(out),
                                      Accumulate::kAdd);
  });
  expect_same("neighbour_mean", all, [&](auto& c, float* out) {
    neighbour_mean<float>(c, view.in, x.view(), per_node(out));
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, EverySizeOnCuda, testing::ValuesIn(kSizes));

}  // namespace
}  // namespace m2st::kernels
