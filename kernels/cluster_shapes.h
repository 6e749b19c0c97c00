// Shapes that callers of the clustering's steps must keep, on every backend.
#pragma once

#include <cstdint>

#include "engine/batch.h"
#include "engine/check.h"
#include "engine/view.h"

namespace m2st::kernels {

inline void check_view_weights(Span<const double> lambda2, MatrixView<const double> norms,
                               MatrixView<const double> weights) {
  M2ST_CHECK(norms.cols == static_cast<std::int64_t>(lambda2.size()) &&
                 weights.rows == norms.rows && weights.cols == norms.cols,
             "view_weights: norms are ", norms.rows, " x ", norms.cols, ", weights ", weights.rows,
             " x ", weights.cols, ", for ", lambda2.size(), " option sets");
}

inline void check_centre_systems(Span<const double> alphas, Span<const double> lambda3,
                                 MatrixView<const std::int64_t> counts,
                                 BatchView<const double> gram) {
  const auto sets = static_cast<std::int64_t>(alphas.size());
  M2ST_CHECK(lambda3.size() == alphas.size() && counts.rows == sets && gram.count == sets,
             "centre_systems: ", alphas.size(), " weights, ", lambda3.size(), " lambdas, ",
             counts.rows, " counts and ", gram.count, " matrices");
  M2ST_CHECK(gram.rows == counts.cols && gram.cols == counts.cols, "centre_systems: ", gram.rows,
             " x ", gram.cols, " for ", counts.cols, " clusters");
}

inline void check_half_distances(MatrixView<const std::int64_t> counts,
                                 BatchView<const double> centres, BatchView<const double> cross,
                                 BatchView<const double> out) {
  M2ST_CHECK(counts.rows == out.count && centres.count == out.count && cross.count == out.count,
             "half_distances: ", counts.rows, ", ", centres.count, ", ", cross.count, " and ",
             out.count, " option sets");
  M2ST_CHECK(counts.cols == out.cols && centres.rows == out.rows && centres.cols == out.cols &&
                 cross.rows == out.rows && cross.cols == out.cols,
             "half_distances: centres ", centres.rows, " x ", centres.cols, ", cross ", cross.rows,
             " x ", cross.cols, ", out ", out.rows, " x ", out.cols);
}

inline void check_centre_squares(Span<const double> alphas, BatchView<const double> centres,
                                 BatchView<const double> table) {
  M2ST_CHECK(static_cast<std::int64_t>(alphas.size()) == table.count &&
                 centres.count == table.count && table.cols >= centres.cols,
             "add_centre_squares: ", alphas.size(), " weights, ", centres.count, " x ",
             centres.cols, " centres into ", table.count, " x ", table.cols);
}

inline void check_put_counts(MatrixView<const std::int64_t> counts, BatchView<const double> gram) {
  M2ST_CHECK(counts.rows == gram.count && gram.rows == counts.cols && gram.cols == counts.cols,
             "put_counts: ", counts.rows, " x ", counts.cols, " counts into ", gram.count,
             " matrices of ", gram.rows, " x ", gram.cols);
}

}  // namespace m2st::kernels
