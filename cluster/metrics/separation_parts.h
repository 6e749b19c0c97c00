// The measures of separation.h from what they share: centred cells, of at least two clusters, and
// their squared distances to the means of their own, by position.
#pragma once

#include "cluster/metrics/centred_cells.h"

namespace m2st::cluster {

double silhouette_squared(CpuContext& context, const CentredCells& cells,
                          Span<const double> squared_spreads);
double davies_bouldin(const CentredCells& cells, Span<const double> squared_spreads);
double calinski_harabasz(const CentredCells& cells, Span<const double> squared_spreads);

}  // namespace m2st::cluster
