// The graphs and widths that the kernels on edges are tried on, and small helpers for their arrays.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/view.h"
#include "kernels/gat.h"
#include "kernels/math/attention_dropout.h"
#include "tests/reference/attention.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"

namespace m2st::test {

struct AttentionCase {
  std::string name;
  TestGraph graph;
  reference::Heads heads;
};

// Sizes around the vectors' and chunks' lengths, isolated nodes, and a hub whose edges fill several
// strips; widths that end in every kind of tail.
inline std::vector<AttentionCase> attention_cases() {
  std::vector<AttentionCase> cases;
  const auto add = [&](std::int32_t nodes, reference::Heads heads, int hub_degree) {
    const std::uint64_t seed = 100 + cases.size();
    const std::string name = std::to_string(nodes) + " nodes, " + std::to_string(heads.count) +
                             " heads of " + std::to_string(heads.width) + ", hub " +
                             std::to_string(hub_degree) + ", seed " + std::to_string(seed);
    cases.push_back({name, random_graph(nodes, seed, {7, 11, hub_degree}), heads});
  };
  add(0, {4, 8}, 0);
  add(1, {1, 1}, 0);
  add(1, {4, 16}, 3);
  add(31, {2, 3}, 0);
  add(32, {4, 64}, 0);
  add(33, {3, 37}, 0);
  add(65, {1, 300}, 0);
  add(97, {6, 31}, 200);
  add(300, {4, 33}, 1000);
  return cases;
}

// Sums of up to a thousand products of order 1, each rounded; the worst seen is a quarter of it.
template <class T>
Tolerance sum_tolerance() {
  return relative_error(64 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

// The softmax's Jacobian takes differences of products grad_out · features, which are of order 1;
// where a node has one neighbour only, nothing but their roundings is left.
template <class T>
Tolerance score_tolerance() {
  Tolerance tolerance = sum_tolerance<T>();
  tolerance.scale = 1;
  return tolerance;
}

inline constexpr double kSlope = 0.2;
inline constexpr double kDropout = 0.3;

inline kernels::AttentionOptions attention_options(double dropout) {
  kernels::AttentionOptions options;
  options.leaky_slope = kSlope;
  options.dropout = dropout;
  options.key = {42, stream_of(Purpose::kTest, 3), 7};
  return options;
}

// (E, H): what dropout multiplies the coefficients by.
inline std::vector<double> dropout_factors(const TestGraph& graph, const reference::Heads& heads,
                                           const kernels::AttentionOptions& options) {
  std::vector<double> result(graph.edges() * heads.count, 1.0);
  if (options.dropout == 0) return result;
  reference::for_each_edge(graph.view().in, [&](auto e, auto j, auto i) {
    for (std::int64_t h = 0; h < heads.count; ++h) {
      result[e * heads.count + h] = kernels::attention_factor(
          options.key, kernels::dropout_rule(options.dropout), graph.ids[i], graph.ids[j], h);
    }
  });
  return result;
}

template <class T>
std::vector<double> as_double(const std::vector<T>& values) {
  return std::vector<double>(values.begin(), values.end());
}

template <class T>
MatrixView<T> matrix(std::vector<T>& values, std::int64_t cols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}
template <class T>
MatrixView<const T> matrix(const std::vector<T>& values, std::int64_t cols) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}

// What an overwriting kernel must not let through.
template <class T>
std::vector<T> garbage(std::int64_t size) {
  return std::vector<T>(static_cast<std::size_t>(size), std::numeric_limits<T>::quiet_NaN());
}

// start + gradient, what Accumulate::kAdd must give.
template <class T>
std::vector<double> sum_of(const std::vector<T>& start, const std::vector<double>& gradient) {
  std::vector<double> result = as_double(start);
  for (std::size_t k = 0; k < result.size(); ++k) result[k] += gradient[k];
  return result;
}

}  // namespace m2st::test
