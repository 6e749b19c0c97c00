#include "data/graph/spacing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kSampledCells = 4096;
constexpr std::int64_t kGrain = 64;
constexpr double kLatticeVariation = 0.05;
// Farther than this many medians from its nearest cell a cell is alone, not off the lattice; the
// same bound as in squidpy's grid, between a lattice's first (1) and second ring (at least √2).
constexpr double kLone = 1.3;
constexpr double kLargestLoneShare = 0.1;
constexpr double kWantedDegree = 6;
// Gaps between distances are looked for while the mean degree is in this range, and have to be
// this wide to be a lattice's.
constexpr double kLowestDegree = 3.5, kHighestDegree = 8.5, kGap = 1.1;

std::vector<std::int32_t> sampled(const NeighbourTree& tree) {
  const auto n = static_cast<std::int64_t>(tree.order().size());
  const std::int64_t count = std::min(n, kSampledCells);
  std::vector<std::int32_t> nodes;
  for (std::int64_t s = 0; s < count; ++s) nodes.push_back(tree.order()[s * n / count]);
  return nodes;
}

// Squared distances from sampled nodes to all others within the radius, each node's list cut where
// the total is reached anyway.
std::vector<double> sampled_distances(CpuContext& context, const NeighbourTree& tree,
                                      const std::vector<std::int32_t>& nodes, double radius,
                                      std::size_t enough) {
  std::vector<std::vector<double>> lists(nodes.size());
  parallel_for(context, static_cast<std::int64_t>(nodes.size()), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t s = begin; s < end; ++s) {
                   tree.distances_within(nodes[s], radius, enough, lists[s]);
                 }
               });
  std::vector<double> all;
  for (const std::vector<double>& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

// Rounded up to four digits, so that the radius a report prints gives the same graph again.
double rounded_up(double radius) {
  const double unit = std::pow(10.0, std::floor(std::log10(radius)) - 3);
  return std::max(radius, std::ceil(radius / unit) * unit);
}

}  // namespace

Spacing spacing_of(CpuContext& context, const NeighbourTree& tree) {
  const std::vector<std::int32_t> nodes = sampled(tree);
  std::vector<double> nearest(nodes.size());
  parallel_for(context, static_cast<std::int64_t>(nodes.size()), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t s = begin; s < end; ++s) {
                   nearest[s] = std::sqrt(tree.nearest_distinct(nodes[s]));
                 }
               });
  std::sort(nearest.begin(), nearest.end());
  Spacing spacing;
  spacing.nearest = nearest[nearest.size() / 2];
  double sum = 0, squares = 0;
  std::int64_t count = 0;
  for (const double distance : nearest) {
    if (!(distance <= kLone * spacing.nearest)) break;
    const double part = distance / spacing.nearest;
    sum += part;
    squares += part * part;
    ++count;
  }
  if (count == 0 || !std::isfinite(spacing.nearest)) return spacing;
  const double mean = sum / static_cast<double>(count);
  const double variance = squares / static_cast<double>(count) - mean * mean;
  spacing.variation = std::sqrt(std::max(0.0, variance)) / mean;
  const auto lone = static_cast<double>(nearest.size()) - static_cast<double>(count);
  spacing.lattice = spacing.variation < kLatticeVariation &&
                    lone <= kLargestLoneShare * static_cast<double>(nearest.size());
  return spacing;
}

double radius_of_six(CpuContext& context, const NeighbourTree& tree, const Spacing& spacing) {
  const std::vector<std::int32_t> nodes = sampled(tree);
  const auto count = static_cast<double>(nodes.size());
  const auto enough = static_cast<std::size_t>(std::ceil((kHighestDegree + 1) * count));
  std::vector<double> squares;
  double radius = spacing.nearest;
  for (;; radius *= 1.25) {
    squares = sampled_distances(context, tree, nodes, radius, enough);
    if (squares.size() >= enough || radius >= tree.diameter()) break;
  }
  std::sort(squares.begin(), squares.end());
  const auto last = squares.size() - 1;
  const auto place = [&](double degree) {
    return std::min(last, static_cast<std::size_t>(std::max(1.0, degree * count)) - 1);
  };
  double widest = 1, middle = 0;
  for (std::size_t i = place(kLowestDegree); i < place(kHighestDegree); ++i) {
    const double gap = std::sqrt(squares[i + 1] / squares[i]);
    if (gap > widest * (1 + 1e-9)) {
      widest = gap;
      middle = std::sqrt(std::sqrt(squares[i]) * std::sqrt(squares[i + 1]));
    }
  }
  // A few cells have gaps by chance.
  const bool gap_is_real = widest > kGap && nodes.size() >= 100;
  return rounded_up(gap_is_real ? middle : std::sqrt(squares[place(kWantedDegree)]));
}

double radius_of_shell(CpuContext& context, const NeighbourTree& tree, int neighbours) {
  const std::vector<std::int32_t> nodes = sampled(tree);
  std::vector<double> farthest(nodes.size());
  parallel_for(context, static_cast<std::int64_t>(nodes.size()), kGrain,
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<Neighbour> nearest(static_cast<std::size_t>(neighbours));
                 for (std::int64_t s = begin; s < end; ++s) {
                   tree.nearest(nodes[s], nearest);
                   farthest[s] = std::sqrt(nearest.back().squared_distance);
                 }
               });
  // Cells at the border reach farther for as many; the lower quartile is an inner cell's.
  std::sort(farthest.begin(), farthest.end());
  constexpr double kPastJitter = 1.1;
  return farthest[farthest.size() / 4] * kPastJitter;
}

}  // namespace m2st::data
