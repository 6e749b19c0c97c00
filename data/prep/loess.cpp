// The tree's cuts follow the library's ehg129/ehg126 rules to the letter, ties included: a vertex
// elsewhere would move every fit between its neighbours.
#include "data/prep/loess.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/linear_algebra.h"

namespace m2st::data {

namespace {

constexpr double kCell = 0.2;      // share of a neighbourhood that a leaf may hold
constexpr double kMargin = 0.005;  // of the range, on either side of the bounding box
constexpr double kSlack = 1e-5;    // in the number of neighbours, as the library has it
constexpr int kTerms = 3;          // 1, t, t²

struct Fit {
  double value = 0;
  double slope = 0;
};

// The weighted parabola around `at`, with tricube weights that reach the count-th nearest point.
Fit local_fit(CpuContext& context, Span<const double> x, Span<const double> y, std::int64_t count,
              double at) {
  std::vector<double> distances;
  for (const double point : x) distances.push_back(std::abs(point - at));
  std::vector<double> sorted = distances;
  std::nth_element(sorted.begin(), sorted.begin() + count - 1, sorted.end());
  const double reach = sorted[count - 1];
  std::vector<std::int64_t> near;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (distances[i] <= reach) near.push_back(static_cast<std::int64_t>(i));
  }
  // All of them at the reach itself, where the tricube is zero.
  const bool alone =
      std::all_of(near.begin(), near.end(), [&](std::int64_t i) { return distances[i] == reach; });
  const auto rows = static_cast<std::int64_t>(near.size());
  Matrix<double> design(context.pool(), rows, kTerms), inverse(context.pool(), kTerms, rows);
  std::vector<double> target(near.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    const double t = x[near[r]] - at;
    const double share = reach > 0 ? std::min(distances[near[r]] / reach, 1.0) : 0.0;
    const double root = alone ? 1.0 : std::pow(1 - share * share * share, 1.5);
    design(r, 0) = root;
    design(r, 1) = root * t;
    design(r, 2) = root * t * t;
    target[r] = root * y[near[r]];
  }
  kernels::pseudo_inverse<double>(context, design.view(), inverse.view());
  const Span<const double> first = std::as_const(inverse).view().row(0);
  const Span<const double> second = std::as_const(inverse).view().row(1);
  return {std::inner_product(first.begin(), first.end(), target.begin(), 0.0),
          std::inner_product(second.begin(), second.end(), target.begin(), 0.0)};
}

// Where the points [low, high] are cut: their median, moved to the nearest place where x changes.
// Positions as in the library, which counts from 1.
std::int64_t cut_position(Span<const double> x, std::int64_t low, std::int64_t high) {
  const std::int64_t middle = (low + 1 + high + 1) / 2 - 1;
  std::int64_t offset = 0;
  while (middle + offset < high && middle + offset >= low &&
         x[middle + offset] == x[middle + offset + 1]) {
    offset = -offset;
    if (offset >= 0) ++offset;
  }
  const bool inside = middle + offset >= low && middle + offset < high;
  return inside ? middle + offset : middle;
}

struct Leaf {
  std::int64_t low, high;  // points
  double left, right;      // bounds
};

// Ascending; x sorted.
std::vector<double> tree_vertices(Span<const double> x, std::int64_t leaf_points) {
  const double low = x.front(), high = x.back();
  const double least_range = std::max(std::abs(low), std::abs(high)) * 1e-10 + 1e-30;
  const double margin = kMargin * std::max(high - low, least_range);
  std::vector<double> vertices = {low - margin, high + margin};
  std::vector<Leaf> leaves = {
      {0, static_cast<std::int64_t>(x.size()) - 1, low - margin, high + margin}};
  while (!leaves.empty()) {
    const Leaf leaf = leaves.back();
    leaves.pop_back();
    if (leaf.high - leaf.low + 1 <= leaf_points) continue;
    const std::int64_t position = cut_position(x, leaf.low, leaf.high);
    const double cut = x[position];
    if (cut == leaf.left || cut == leaf.right) continue;
    vertices.push_back(cut);
    leaves.push_back({leaf.low, position, leaf.left, cut});
    leaves.push_back({position + 1, leaf.high, cut, leaf.right});
  }
  std::sort(vertices.begin(), vertices.end());
  return vertices;
}

// Cubic Hermite interpolation between two vertices.
double blended(double x, double left, double right, Fit at_left, Fit at_right) {
  const double h = right - left, s = (x - left) / h, t = 1 - s;
  return t * t * (1 + 2 * s) * at_left.value + s * s * (3 - 2 * s) * at_right.value +
         s * t * t * at_left.slope * h - s * s * t * at_right.slope * h;
}

}  // namespace

std::vector<double> loess(CpuContext& context, Span<const double> x, Span<const double> y,
                          double span) {
  M2ST_CHECK(x.size() == y.size(), "loess: y has ", y.size(), " entries, x has ", x.size());
  M2ST_CHECK(span > 0 && span <= 1, "loess: span (got ", span, ", need more than 0, at most 1)");
  const auto n = static_cast<std::int64_t>(x.size());
  std::vector<double> fitted(x.size());
  if (n == 0) return fitted;
  std::vector<std::int64_t> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t i, std::int64_t j) { return x[i] < x[j]; });
  std::vector<double> sorted_x, sorted_y;
  for (const std::int64_t i : order) {
    sorted_x.push_back(x[i]);
    sorted_y.push_back(y[i]);
  }
  const auto points = static_cast<double>(n);
  const auto count =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(points * span + kSlack)), 1, n);
  const auto leaf_points =
      std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(points * span * kCell)), 1);
  const std::vector<double> vertices = tree_vertices(sorted_x, leaf_points);
  std::vector<Fit> fits(vertices.size());
  parallel_for(context, static_cast<std::int64_t>(vertices.size()), 1,
               [&](std::int64_t v, std::int64_t) {
                 fits[v] = local_fit(context, sorted_x, sorted_y, count, vertices[v]);
               });
  for (std::int64_t i = 0; i < n; ++i) {
    const auto above = std::upper_bound(vertices.begin(), vertices.end(), sorted_x[i]);
    const std::int64_t v = std::clamp<std::int64_t>(above - vertices.begin() - 1, 0,
                                                    static_cast<std::int64_t>(vertices.size()) - 2);
    fitted[order[i]] = blended(sorted_x[i], vertices[v], vertices[v + 1], fits[v], fits[v + 1]);
  }
  return fitted;
}

}  // namespace m2st::data
