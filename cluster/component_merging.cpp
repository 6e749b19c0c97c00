#include "cluster/component_merging.h"

#include <algorithm>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 4096;
constexpr double kNoCells = 1e-12;  // a component below this holds nothing: it overlaps with nobody

struct Pair {
  std::int64_t first = 0, second = 1;
};

Pair most_overlapping(const Matrix<double>& overlap, const std::vector<double>& sizes,
                      const std::vector<std::int64_t>& alive) {
  Pair best{alive[0], alive[1]};
  double largest = -1;
  for (std::size_t a = 0; a < alive.size(); ++a) {
    for (std::size_t b = a + 1; b < alive.size(); ++b) {
      const std::int64_t i = alive[a], j = alive[b];
      const double smaller =
          std::min(sizes[static_cast<std::size_t>(i)], sizes[static_cast<std::size_t>(j)]);
      // What holds nothing goes first, so that it never stays as a domain of its own.
      const double share = smaller > kNoCells ? overlap(i, j) / smaller : 2.0;
      if (share > largest) {
        largest = share;
        best = {i, j};
      }
    }
  }
  return best;
}

}  // namespace

std::vector<std::int32_t> merge_components(CpuContext& context,
                                           MatrixView<const double> responsibilities, int groups) {
  const std::int64_t components = responsibilities.cols;
  M2ST_CHECK(groups >= 1 && groups <= components, "merge_components: groups (got ", groups,
             ", need 1 to ", components, ")");
  std::vector<double> sizes(static_cast<std::size_t>(components));
  kernels::column_sums<double>(context, responsibilities, sizes, kernels::Accumulate::kOverwrite);
  Matrix<double> overlap(context.pool(), components, components);
  kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                        responsibilities, responsibilities, 0.0, overlap.view());
  std::vector<std::int64_t> alive, home;
  for (std::int64_t k = 0; k < components; ++k) alive.push_back(k);
  home = alive;
  while (std::ssize(alive) > groups) {
    const auto [kept, gone] = most_overlapping(overlap, sizes, alive);
    // (r_i + r_j)·r_k = r_i·r_k + r_j·r_k: the joined component's overlaps are sums.
    for (const std::int64_t k : alive) {
      if (k == kept || k == gone) continue;
      overlap(kept, k) += overlap(gone, k);
      overlap(k, kept) = overlap(kept, k);
    }
    sizes[static_cast<std::size_t>(kept)] += sizes[static_cast<std::size_t>(gone)];
    alive.erase(std::find(alive.begin(), alive.end(), gone));
    std::replace(home.begin(), home.end(), gone, kept);
  }
  std::vector<std::int32_t> groups_of;
  for (const std::int64_t k : home) {
    groups_of.push_back(
        static_cast<std::int32_t>(std::find(alive.begin(), alive.end(), k) - alive.begin()));
  }
  return groups_of;
}

std::vector<std::int32_t> labels_of_groups(CpuContext& context,
                                           MatrixView<const double> responsibilities,
                                           Span<const std::int32_t> group_of_component,
                                           int groups) {
  M2ST_CHECK(std::ssize(group_of_component) == responsibilities.cols,
             "labels_of_groups: components (got ", group_of_component.size(), ", need ",
             responsibilities.cols, ")");
  std::vector<std::int32_t> labels(static_cast<std::size_t>(responsibilities.rows));
  parallel_for(context, responsibilities.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> together(static_cast<std::size_t>(groups));
    for (std::int64_t n = begin; n < end; ++n) {
      std::fill(together.begin(), together.end(), 0.0);
      const auto row = responsibilities.row(n);
      for (std::size_t k = 0; k < row.size(); ++k) {
        together[static_cast<std::size_t>(group_of_component[k])] += row[k];
      }
      labels[static_cast<std::size_t>(n)] = static_cast<std::int32_t>(
          std::max_element(together.begin(), together.end()) - together.begin());
    }
  });
  return labels;
}

}  // namespace m2st::cluster
