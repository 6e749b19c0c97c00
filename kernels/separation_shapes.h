// Shapes that callers of the kernels in separation.h must keep, on every backend.
#pragma once

#include "engine/check.h"
#include "kernels/separation.h"

namespace m2st::kernels {

inline void check_spreads(const char* op, MatrixView<const float> x,
                          MatrixView<const std::int32_t> labels, const ClusterSpreads& spreads) {
  const std::int64_t sets = labels.rows, clusters = spreads.counts.cols;
  const auto is = [](const auto& view, std::int64_t rows, std::int64_t cols) {
    return view.rows == rows && view.cols == cols;
  };
  M2ST_CHECK(labels.cols == x.rows, op, ": ", labels.cols, " labels for ", x.rows, " cells");
  M2ST_CHECK(spreads.counts.rows == sets && is(spreads.centres, sets, x.cols) &&
                 is(spreads.means, sets * clusters, x.cols) &&
                 is(spreads.squares, sets, clusters) && is(spreads.distances, sets, clusters),
             op, ": shapes of the spreads do not fit ", sets, " labelings into ", clusters,
             " clusters of cells of width ", x.cols);
}

inline void check_silhouettes(MatrixView<const float> x, MatrixView<const std::int32_t> labels,
                              const ClusterSpreads& spreads, Span<double> sums) {
  check_spreads("silhouette_sums", x, labels, spreads);
  M2ST_CHECK(std::ssize(sums) == labels.rows, "silhouette_sums: size of sums (got ", sums.size(),
             ", need ", labels.rows, ")");
}

}  // namespace m2st::kernels
