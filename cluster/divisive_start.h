// Starting centres for k-means without chance: the cluster of largest scatter is cut in two across
// its first principal axis until there are enough (Su and Dy, Intelligent Data Analysis 2007,
// "PCA-Part"). One start instead of many restarts, and the same one for every seed.
#pragma once

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// (clusters, d) means of the parts. x: (N, d), finite; 1 <= clusters <= N. Where cells coincide so
// that no part can be cut any more, the remaining centres repeat the mean of the first part.
Matrix<double> divisive_centres(CpuContext& context, MatrixView<const double> x, int clusters);

}  // namespace m2st::cluster
