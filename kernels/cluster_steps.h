// The steps of the reference clustering (docs/clustering.md) that are no algebra, for several
// option sets at once, all in double: s counts the sets, alphas, lambda2 and the like are one
// number a set, counts (sets, K) the cells by label. Views are batches of one matrix a set.
#pragma once

#include "engine/batch.h"
#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// norms, weights: (representations, sets). A set's weights are ∝ exp(−λ₂ · squared norm), and equal
// when all of them underflow. A norm below 0 counts as 0, one that is not finite as the largest
// number.
void view_weights(CpuContext& context, Span<const double> lambda2, MatrixView<const double> norms,
                  MatrixView<double> weights);
void view_weights(CudaContext& context, Span<const double> lambda2, MatrixView<const double> norms,
                  MatrixView<double> weights);

// gram (K, K) becomes λ₃ · gram + diag(α n − λ₃).
void centre_systems(CpuContext& context, Span<const double> alphas, Span<const double> lambda3,
                    MatrixView<const std::int64_t> counts, BatchView<double> gram);
void centre_systems(CudaContext& context, Span<const double> alphas, Span<const double> lambda3,
                    MatrixView<const std::int64_t> counts, BatchView<double> gram);

// out = ½ V diag(n) − cross, all (rows, K).
void half_distances(CpuContext& context, MatrixView<const std::int64_t> counts,
                    BatchView<const double> centres, BatchView<const double> cross,
                    BatchView<double> out);
void half_distances(CudaContext& context, MatrixView<const std::int64_t> counts,
                    BatchView<const double> centres, BatchView<const double> cross,
                    BatchView<double> out);

// Adds α ‖v_c‖² to entry c < K of every row of table (rows, at least K); centres (.., K).
void add_centre_squares(CpuContext& context, Span<const double> alphas,
                        BatchView<const double> centres, BatchView<double> table);
void add_centre_squares(CudaContext& context, Span<const double> alphas,
                        BatchView<const double> centres, BatchView<double> table);

// gram[c,c] = counts[s,c].
void put_counts(CpuContext& context, MatrixView<const std::int64_t> counts, BatchView<double> gram);
void put_counts(CudaContext& context, MatrixView<const std::int64_t> counts,
                BatchView<double> gram);

}  // namespace m2st::kernels
