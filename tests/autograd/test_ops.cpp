// Every op's gradient against the complex step of its naive reference, one line an op in a table.
// An op with a matrix as its result is made one number by fixed random weights.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "autograd/ops.h"
#include "tests/reference/activation.h"
#include "tests/reference/attention.h"
#include "tests/reference/complex_step.h"
#include "tests/reference/features.h"
#include "tests/reference/loss.h"
#include "tests/reference/rows.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"

namespace m2st::autograd {
namespace {

using reference::Complex;
using test::near;
using test::random_values;
using Inputs = std::vector<Variable<double>>;
using Points = std::vector<std::vector<Complex>>;

// Both sides are exact up to some hundred roundings of numbers near 1.
constexpr test::Tolerance kTolerance{1e-11, 1e-11};

constexpr std::int64_t kNodes = 37;
constexpr std::int64_t kHeads = 3;
constexpr std::int64_t kFeatures = 5;
constexpr std::int64_t kWidth = kHeads * kFeatures;
const reference::Heads kShape{kHeads, kFeatures};
constexpr double kSlope = 0.2;
constexpr double kGamma = 2.5;
constexpr double kDropout = 0.4;
const RandomKey kKey{7, stream_of(Purpose::kTest, 3), 11};

const test::TestGraph& graph() {
  static const test::TestGraph graph = test::random_graph(kNodes, 5);
  return graph;
}

const std::vector<std::int32_t>& some_rows() {
  static const std::vector<std::int32_t> rows{1, 4, 5, 17, 36};
  return rows;
}

std::vector<std::int32_t> other_rows_of_all() {
  std::vector<std::int32_t> rows;
  for (std::int32_t row = 0; row < kNodes; ++row) {
    if (!std::binary_search(some_rows().begin(), some_rows().end(), row)) rows.push_back(row);
  }
  return rows;
}

const std::vector<std::int32_t>& other_rows() {
  static const std::vector<std::int32_t> rows = other_rows_of_all();
  return rows;
}

Variable<double> variable(Context& context, std::int64_t rows, std::int64_t cols,
                          const std::vector<double>& values) {
  Matrix<double> matrix(context.pool(), rows, cols);
  std::copy(values.begin(), values.end(), matrix.data());
  return {std::move(matrix), true};
}

std::vector<double> vector_of(MatrixView<const double> x) {
  return {x.span().begin(), x.span().end()};
}

// Σ weights · out, with the weights as the gradient that reaches `out`.
Scalar weighted(Tape<double>& tape, const Variable<double>& out) {
  const std::vector<double> weights = random_values<double>(out.rows() * out.cols(), 99);
  const Scalar loss(reference::weighted_sum(weights, vector_of(out.value())));
  tape.record_always([&context = tape.context(), weights, out, loss] {
    const auto target = out.gradient_target(context.pool());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      double& gradient = target.view.data[i];
      gradient = target.beta() * gradient + loss.gradient() * weights[i];
    }
  });
  return loss;
}

Complex weighted(const std::vector<Complex>& out) {
  return reference::weighted_sum(random_values<double>(std::ssize(out), 99), out);
}

// What dropout multiplies each element with: what it makes of ones.
template <class Op>
std::vector<double> factors_of(std::int64_t rows, std::int64_t cols, Op&& op) {
  Context context = cpu_context(1);
  Tape<double> tape(context, Tape<double>::Mode::kForwardOnly);
  return vector_of(
      op(tape, variable(context, rows, cols,
                        std::vector<double>(static_cast<std::size_t>(rows * cols), 1.0)))
          .value());
}

Variable<double> drop(Tape<double>& tape, const Variable<double>& x) {
  return dropout(tape, kKey, kDropout, graph().ids, x);
}
Variable<double> drop_edges(Tape<double>& tape, const Variable<double>& x) {
  return edge_dropout(tape, graph().view(), kKey, kDropout, x);
}

std::vector<double> node_factors() { return factors_of(kNodes, kWidth, drop); }
std::vector<double> edge_factors() { return factors_of(graph().edges(), kHeads, drop_edges); }

std::vector<Complex> linear_reference(const Points& p) {
  std::vector<Complex> out;
  for (std::int64_t n = 0; n < kNodes; ++n) {
    for (std::size_t o = 0; o < p[1].size() / kWidth; ++o) {
      Complex sum = 0;
      for (std::int64_t i = 0; i < kWidth; ++i) sum += p[0][n * kWidth + i] * p[1][o * kWidth + i];
      out.push_back(sum);
    }
  }
  return out;
}

std::vector<Complex> add_row_reference(const Points& p) {
  std::vector<Complex> out = p[0];
  for (std::size_t k = 0; k < out.size(); ++k) out[k] += p[1][k % p[1].size()];
  return out;
}

std::vector<std::int32_t> ids_of(const std::vector<std::int32_t>& rows) {
  std::vector<std::int32_t> ids;
  for (const std::int32_t row : rows) ids.push_back(graph().ids[row]);
  return ids;
}

// The features of the tests on tokens: data, not an input.
std::vector<double> token_features() { return random_values<double>(kNodes * kWidth, 23); }

Variable<double> token_features_variable(Tape<double>& tape) {
  Matrix<double> features(tape.pool(), kNodes, kWidth);
  std::ranges::copy(token_features(), features.data());
  return {std::move(features), false};
}

// in: the token and the weight.
Variable<double> linear_of_tokens_op(Tape<double>& tape, const Inputs& in, double probability) {
  static const std::vector<std::int32_t> ids = ids_of(some_rows());
  return linear_of_tokens<double>(tape, kKey, probability, graph().ids,
                                  {some_rows(), ids, other_rows()}, token_features_variable(tape),
                                  in[0], in[1]);
}

std::vector<Complex> complex_of(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// dropout(the features with the token in its rows).
std::vector<Complex> dropped_tokens(const std::vector<Complex>& token,
                                    const std::vector<double>& kept) {
  return reference::multiplied(
      reference::fill_rows(some_rows(), token, complex_of(token_features())), kept);
}

std::vector<Complex> linear_of_tokens_reference(const Points& p, const std::vector<double>& kept) {
  return linear_reference({dropped_tokens(p[0], kept), p[1]});
}

std::vector<Complex> sum_heads_reference(const Points& p) {
  std::vector<Complex> out(kNodes * kFeatures);
  for (std::size_t k = 0; k < p[0].size(); ++k) {
    out[k / kWidth * kFeatures + k % kFeatures] += p[0][k];
  }
  return out;
}

std::vector<Complex> scatter_reference(const Points& p) {
  std::vector<Complex> out = p[0];
  for (std::size_t k = 0; k < p[1].size(); ++k) {
    out[some_rows()[k / kWidth] * kWidth + k % kWidth] = p[1][k];
  }
  return out;
}

std::vector<Complex> node_scores_reference(const Points& p) {
  std::vector<Complex> out = reference::node_scores(kShape, p[0], p[1]);
  const std::vector<Complex> destination = reference::node_scores(kShape, p[0], p[2]);
  for (std::size_t k = 0; k < out.size(); ++k) out[k] += 0.5 * destination[k] * destination[k];
  return out;
}

// Source scores + ½ · destination scores²: depends on both results, in different ways.
Variable<double> node_scores_op(Tape<double>& tape, const Inputs& in) {
  const NodeScores<double> scores = node_scores(tape, in[0], in[1], in[2]);
  const Variable<double> out =
      tape.result(scores.source.rows(), scores.source.cols(), scores.source);
  for (std::int64_t k = 0; k < out.result().size(); ++k) {
    const double destination = scores.destination.value().data[k];
    out.result().data[k] = scores.source.value().data[k] + 0.5 * destination * destination;
  }
  tape.record(out, [&context = tape.context(), scores, out] {
    const auto source = scores.source.gradient_target(context.pool());
    const auto destination = scores.destination.gradient_target(context.pool());
    for (std::int64_t k = 0; k < out.rows() * out.cols(); ++k) {
      source.view.data[k] = out.gradient().data[k];
      destination.view.data[k] = out.gradient().data[k] * scores.destination.value().data[k];
    }
  });
  return out;
}

kernels::AttentionOptions attention_options(double probability) {
  kernels::AttentionOptions options;
  options.leaky_slope = kSlope;
  options.dropout = probability;
  options.key = kKey;
  return options;
}

std::vector<Complex> attention_reference(const Points& p, std::vector<double> factors) {
  const std::vector<Complex> bias = p.size() > 3 ? p[3] : std::vector<Complex>();
  return reference::gat_attention<Complex>(graph().view().in, kShape,
                                           {p[0], p[1], p[2], bias, std::move(factors), kSlope});
}

// in: the token, both halves' vectors.
Variable<double> sum_features_of_tokens_op(Tape<double>& tape, const Inputs& in,
                                           double probability) {
  static const std::vector<std::int32_t> ids = ids_of(some_rows());
  return sum_features_of_tokens<double>(tape, graph().view(), attention_options(kDropout), kKey,
                                        probability, {some_rows(), ids, other_rows()},
                                        token_features_variable(tape), in[0], in[1], in[2]);
}

// Heads that all see the same features.
const reference::Heads kRawShape{kHeads, kWidth};

std::vector<Complex> sum_features_reference(const std::vector<Complex>& x,
                                            const std::vector<Complex>& source_vectors,
                                            const std::vector<Complex>& destination_vectors) {
  const std::vector<Complex> rows = reference::repeated_for_heads(kRawShape, x);
  return reference::gat_attention<Complex>(
      graph().view().in, kRawShape,
      {rows,
       reference::node_scores(kRawShape, rows, source_vectors),
       reference::node_scores(kRawShape, rows, destination_vectors),
       {},
       edge_factors(),
       kSlope});
}

std::vector<Complex> sum_features_of_tokens_reference(const Points& p,
                                                      const std::vector<double>& kept) {
  return sum_features_reference(dropped_tokens(p[0], kept), p[1], p[2]);
}

// folded[h,c] = Σ_f weight[h,f,c] · attention[h,f].
std::vector<Complex> fold_attention_reference(const Points& p) {
  std::vector<Complex> out(kHeads * kWidth);
  for (std::int64_t k = 0; k < kHeads * kFeatures; ++k) {
    for (std::int64_t c = 0; c < kWidth; ++c) {
      out[k / kFeatures * kWidth + c] += p[1][k * kWidth + c] * p[0][k];
    }
  }
  return out;
}

std::vector<Complex> project_heads_reference(const Points& p) {
  const std::vector<Complex> product = reference::project_heads(kShape, p[0], p[1]);
  return p.size() > 2 ? add_row_reference({product, p[2]}) : product;
}

std::vector<double> ones(std::int64_t size) {
  return std::vector<double>(static_cast<std::size_t>(size), 1.0);
}

struct OpCase {
  std::string name;
  std::vector<std::pair<std::int64_t, std::int64_t>> shapes;
  std::function<Scalar(Tape<double>&, const Inputs&)> op;
  std::function<Complex(const Points&)> reference;
  bool repeatable = true;  // may be applied twice to the same inputs

  friend void PrintTo(const OpCase& op_case, std::ostream* stream) { *stream << op_case.name; }
};

template <class Op, class Reference>
OpCase matrix_case(const std::string& name,
                   std::vector<std::pair<std::int64_t, std::int64_t>> shapes, Op op, Reference ref,
                   bool repeatable = true) {
  return {name, std::move(shapes),
          [op](Tape<double>& tape, const Inputs& in) { return weighted(tape, op(tape, in)); },
          [ref](const Points& p) { return weighted(ref(p)); }, repeatable};
}

constexpr bool kOnce = false;

std::vector<OpCase> cases() {
  const std::int64_t edges = graph().edges();
  const GraphView view = graph().view();
  const std::vector<double> target = random_values<double>(kNodes * kWidth, 17);
  static const std::vector<double> target_memory = target;
  const MatrixView<const double> target_view{target_memory.data(), kNodes, kWidth};
  using Tp = Tape<double>;
  // clang-format off
  return {
    matrix_case("linear", {{kNodes, kWidth}, {7, kWidth}}, [](Tp& t, const Inputs& in) { return linear(t, in[0], in[1]); }, linear_reference),
    matrix_case("linear_of_dropped", {{kNodes, kWidth}, {7, kWidth}}, [](Tp& t, const Inputs& in) { return linear_of_dropped(t, kKey, kDropout, graph().ids, in[0], in[1]); }, [](const Points& p) { return linear_reference({reference::multiplied(p[0], node_factors()), p[1]}); }),
    matrix_case("linear_of_tokens", {{1, kWidth}, {7, kWidth}}, [](Tp& t, const Inputs& in) { return linear_of_tokens_op(t, in, kDropout); }, [](const Points& p) { return linear_of_tokens_reference(p, node_factors()); }),
    matrix_case("linear_of_tokens_without_dropout", {{1, kWidth}, {7, kWidth}}, [](Tp& t, const Inputs& in) { return linear_of_tokens_op(t, in, 0); }, [](const Points& p) { return linear_of_tokens_reference(p, ones(kNodes * kWidth)); }),
    matrix_case("add_row", {{kNodes, kWidth}, {1, kWidth}}, [](Tp& t, const Inputs& in) { return add_row_in_place(t, in[0], in[1]); }, add_row_reference, kOnce),
    matrix_case("dropout", {{kNodes, kWidth}}, [](Tp& t, const Inputs& in) { return drop(t, in[0]); }, [](const Points& p) { return reference::multiplied(p[0], node_factors()); }),
    matrix_case("dropout_in_place", {{kNodes, kWidth}}, [](Tp& t, const Inputs& in) { return dropout_in_place(t, kKey, kDropout, graph().ids, in[0]); }, [](const Points& p) { return reference::multiplied(p[0], node_factors()); }, kOnce),
    matrix_case("prelu", {{kNodes, kWidth}, {1, 1}}, [](Tp& t, const Inputs& in) { return prelu(t, in[0], in[1]); }, [](const Points& p) { return reference::prelu(p[0], p[1][0]); }),
    matrix_case("sum_heads", {{kNodes, kWidth}}, [](Tp& t, const Inputs& in) { return sum_heads(t, in[0], kHeads); }, sum_heads_reference),
    matrix_case("fill_rows_with_a_row", {{kNodes, kWidth}, {1, kWidth}}, [](Tp& t, const Inputs& in) { return fill_rows_in_place<double>(t, some_rows(), in[0], in[1]); }, [](const Points& p) { return reference::fill_rows(some_rows(), p[1], p[0]); }, kOnce),
    matrix_case("fill_rows_with_zeros", {{kNodes, kWidth}}, [](Tp& t, const Inputs& in) { return fill_rows_in_place<double>(t, some_rows(), in[0], {}); }, [](const Points& p) { return reference::fill_rows(some_rows(), std::vector<Complex>(kWidth), p[0]); }, kOnce),
    matrix_case("gather_rows", {{kNodes, kWidth}}, [](Tp& t, const Inputs& in) { return gather_rows<double>(t, some_rows(), in[0]); }, [](const Points& p) { return reference::gather_rows(some_rows(), p[0], kWidth); }),
    matrix_case("spread_rows", {{std::ssize(some_rows()), kWidth}}, [](Tp& t, const Inputs& in) { return spread_rows<double>(t, some_rows(), other_rows(), in[0]); }, [](const Points& p) { return reference::scatter_add_rows(some_rows(), p[0], std::vector<Complex>(kNodes * kWidth), kWidth); }),
    matrix_case("scatter_rows", {{kNodes, kWidth}, {std::ssize(some_rows()), kWidth}}, [](Tp& t, const Inputs& in) { return scatter_rows_in_place<double>(t, some_rows(), in[0], in[1]); }, scatter_reference, kOnce),
    matrix_case("node_scores", {{kNodes, kWidth}, {kHeads, kFeatures}, {kHeads, kFeatures}}, node_scores_op, node_scores_reference),
    matrix_case("edge_scores", {{kNodes, kHeads}, {kNodes, kHeads}}, [view](Tp& t, const Inputs& in) { return edge_scores(t, view, {in[0], in[1]}, kSlope); }, [view](const Points& p) { return reference::edge_scores(view.in, kHeads, p[0], p[1], kSlope); }),
    matrix_case("edge_softmax", {{edges, kHeads}}, [view](Tp& t, const Inputs& in) { return edge_softmax(t, view, in[0]); }, [view](const Points& p) { return reference::edge_softmax(view.in, kHeads, p[0]); }),
    matrix_case("edge_dropout", {{edges, kHeads}}, [](Tp& t, const Inputs& in) { return drop_edges(t, in[0]); }, [](const Points& p) { return reference::multiplied(p[0], edge_factors()); }),
    matrix_case("aggregate", {{edges, kHeads}, {kNodes, kWidth}}, [view](Tp& t, const Inputs& in) { return aggregate(t, view, in[0], in[1]); }, [view](const Points& p) { return reference::aggregate(view.in, kShape, p[0], p[1]); }),
    matrix_case("gat_attention", {{kNodes, kWidth}, {kNodes, kHeads}, {kNodes, kHeads}, {1, kWidth}}, [view](Tp& t, const Inputs& in) { return gat_attention(t, view, attention_options(0), in[0], {in[1], in[2]}, in[3]); }, [edges](const Points& p) { return attention_reference(p, ones(edges * kHeads)); }, kOnce),
    matrix_case("gat_attention_with_dropout", {{kNodes, kWidth}, {kNodes, kHeads}, {kNodes, kHeads}, {1, kWidth}}, [view](Tp& t, const Inputs& in) { return gat_attention(t, view, attention_options(kDropout), in[0], {in[1], in[2]}, in[3]); }, [](const Points& p) { return attention_reference(p, edge_factors()); }, kOnce),
    matrix_case("gat_attention_without_bias", {{kNodes, kWidth}, {kNodes, kHeads}, {kNodes, kHeads}}, [view](Tp& t, const Inputs& in) { return gat_attention(t, view, attention_options(0), in[0], {in[1], in[2]}, {}); }, [edges](const Points& p) { return attention_reference(p, ones(edges * kHeads)); }, kOnce),
    matrix_case("fold_attention", {{kHeads, kFeatures}, {kWidth, kWidth}}, [](Tp& t, const Inputs& in) { return fold_attention(t, in[0], in[1]); }, fold_attention_reference),
    matrix_case("sum_features", {{kHeads, kWidth}, {kHeads, kWidth}}, [view](Tp& t, const Inputs& in) { return sum_features(t, view, attention_options(kDropout), token_features_variable(t), in[0], in[1]); }, [](const Points& p) { return sum_features_reference(complex_of(token_features()), p[0], p[1]); }),
    matrix_case("sum_features_of_tokens", {{1, kWidth}, {kHeads, kWidth}, {kHeads, kWidth}}, [](Tp& t, const Inputs& in) { return sum_features_of_tokens_op(t, in, kDropout); }, [](const Points& p) { return sum_features_of_tokens_reference(p, node_factors()); }),
    matrix_case("sum_features_of_tokens_without_dropout", {{1, kWidth}, {kHeads, kWidth}, {kHeads, kWidth}}, [](Tp& t, const Inputs& in) { return sum_features_of_tokens_op(t, in, 0); }, [](const Points& p) { return sum_features_of_tokens_reference(p, ones(kNodes * kWidth)); }),
    matrix_case("project_heads", {{kNodes, kWidth}, {kHeads * 4, kFeatures}, {1, kHeads * 4}}, [](Tp& t, const Inputs& in) { return project_heads(t, kHeads, in[0], in[1], in[2]); }, project_heads_reference, kOnce),
    matrix_case("project_heads_without_bias", {{kNodes, kWidth}, {kHeads * 4, kFeatures}}, [](Tp& t, const Inputs& in) { return project_heads(t, kHeads, in[0], in[1], {}); }, project_heads_reference, kOnce),
    matrix_case("gat_attention_composed", {{kNodes, kWidth}, {kNodes, kHeads}, {kNodes, kHeads}, {1, kWidth}}, [view](Tp& t, const Inputs& in) { return gat_attention_composed(t, view, attention_options(kDropout), in[0], {in[1], in[2]}, in[3]); }, [](const Points& p) { return attention_reference(p, edge_factors()); }),
    {"scaled_cosine_loss", {{kNodes, kWidth}}, [=](Tp& t, const Inputs& in) { return scaled_cosine_loss<double>(t, some_rows(), kGamma, target_view, in[0]); }, [=](const Points& p) { return reference::scaled_cosine_loss(some_rows(), kGamma, target, p[0], kWidth); }},
    {"mse_loss", {{kNodes, kWidth}}, [=](Tp& t, const Inputs& in) { return mse_loss<double>(t, some_rows(), target_view, in[0]); }, [=](const Points& p) { return reference::mse_loss(some_rows(), target, p[0], kWidth); }},
    {"mean_of_losses", {{kNodes, kWidth}}, [=](Tp& t, const Inputs& in) { return mean(t, {mse_loss<double>(t, some_rows(), target_view, in[0]), weighted(t, in[0])}); }, [=](const Points& p) { return 0.5 * (reference::mse_loss(some_rows(), target, p[0], kWidth) + weighted(p[0])); }},
  };
  // clang-format on
}

class EveryOp : public testing::TestWithParam<OpCase> {
 protected:
  // Values of all inputs one after another, as the complex step wants them.
  std::vector<double> start() const {
    std::vector<double> values;
    for (std::size_t i = 0; i < GetParam().shapes.size(); ++i) {
      const auto [rows, cols] = GetParam().shapes[i];
      for (const double value : random_values<double>(rows * cols, 40 + i)) values.push_back(value);
    }
    return values;
  }
  Inputs inputs(Context& context, const std::vector<double>& values) const {
    Inputs result;
    auto next = values.begin();
    for (const auto& [rows, cols] : GetParam().shapes) {
      result.push_back(variable(context, rows, cols, {next, next + rows * cols}));
      next += rows * cols;
    }
    return result;
  }
  Complex reference_of(const std::vector<Complex>& values) const {
    Points points;
    auto next = values.begin();
    for (const auto& [rows, cols] : GetParam().shapes) {
      points.emplace_back(next, next + rows * cols);
      next += rows * cols;
    }
    return GetParam().reference(points);
  }
  std::vector<double> gradient_of_reference() const {
    return reference::complex_step(
        [this](const std::vector<Complex>& point) { return reference_of(point); }, start());
  }
  static std::vector<double> gradients(const Inputs& inputs) {
    std::vector<double> all;
    for (const Variable<double>& input : inputs) {
      for (const double value : input.gradient().span()) all.push_back(value);
    }
    return all;
  }

  Context context_ = cpu_context(2);
  Tape<double> tape_{context_, Tape<double>::Mode::kRecord};
};

TEST_P(EveryOp, GradientIsTheReferencesComplexStep) {
  const std::vector<double> point = start();
  const Inputs in = inputs(context_, point);
  const Scalar loss = GetParam().op(tape_, in);

  tape_.backward(loss, 1.0);

  const double expected = reference_of({point.begin(), point.end()}).real();
  EXPECT_NEAR(loss.value(), expected, kTolerance.element * std::max(1.0, std::abs(expected)));
  EXPECT_TRUE(near(gradients(in), gradient_of_reference(), kTolerance));
}

class EveryRepeatableOp : public EveryOp {};

TEST_P(EveryRepeatableOp, SecondUseAddsToTheGradient) {
  const Inputs in = inputs(context_, start());
  const Scalar first = GetParam().op(tape_, in);
  const Scalar second = GetParam().op(tape_, in);

  tape_.backward(mean(tape_, {first, second}), 2.0);

  std::vector<double> twice = gradient_of_reference();
  for (double& value : twice) value *= 2;
  EXPECT_TRUE(near(gradients(in), twice, kTolerance));
}

// Ops that consume an input, or must be its last user, are used once.
std::vector<OpCase> repeatable_cases() {
  std::vector<OpCase> result = cases();
  std::erase_if(result, [](const OpCase& each) { return !each.repeatable; });
  return result;
}

const auto kCaseName = [](const auto& each) { return each.param.name; };
INSTANTIATE_TEST_SUITE_P(Ops, EveryOp, testing::ValuesIn(cases()), kCaseName);
INSTANTIATE_TEST_SUITE_P(Ops, EveryRepeatableOp, testing::ValuesIn(repeatable_cases()), kCaseName);

}  // namespace
}  // namespace m2st::autograd
