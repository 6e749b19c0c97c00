// k-means: greedy k-means++ seeding, restarts, Lloyd's iterations. Every cluster of the result
// holds at least one cell, also when cells coincide.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct KMeansOptions {
  int domains = 0;       // 1 <= K <= N
  int restarts = 10;     // the one with the smallest inertia is the result
  int iterations = 300;  // at most, a restart
  double tolerance = 0;  // stop once inertia falls by no more than this share; 0: labels stay
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;  // tells callers with the same seed apart
};

struct KMeansResult {
  std::vector<std::int32_t> labels;  // (N)
  Matrix<double> centres;            // (K, d), the means of the labels' cells
  double inertia = 0;                // Σ ‖x − centre of x‖²
  int iterations = 0;
  std::vector<double> history;  // inertia after each assignment of the best restart
};

// x: (N, d), finite.
KMeansResult k_means(CpuContext& context, MatrixView<const double> x, const KMeansOptions& options);

// One run from given centres (K, d); options.restarts and the seed play no part.
KMeansResult lloyd(CpuContext& context, MatrixView<const double> x, Matrix<double> centres,
                   const KMeansOptions& options);

// Greedy k-means++ (Arthur and Vassilvitskii 2007): each next centre is the best of 2 + ⌊ln K⌋
// cells drawn by their squared distance to the centres so far.
Matrix<double> plus_plus_centres(CpuContext& context, MatrixView<const double> x,
                                 const KMeansOptions& options, int restart);

}  // namespace m2st::cluster
