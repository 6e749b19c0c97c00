// The small steps that the direct and the reduced form of the reference clustering share, so that
// both decide alike: solves, centres, weights, clean-up. All matrices double and row-major. What
// takes batches does so for many option sets and on every backend, without a word to the host.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/reference_state.h"
#include "engine/array.h"
#include "engine/batch.h"
#include "engine/cpu_context.h"
#include "engine/view.h"
#include "kernels/gemm.h"

namespace m2st::cluster {

// op(a) op(b) as a matrix of its own.
Matrix<double> product(CpuContext& context, kernels::Layout layout_a, MatrixView<const double> a,
                       kernels::Layout layout_b, MatrixView<const double> b);
template <class Backend>
Batch<double> product(Backend& context, kernels::Layout layout_a, BatchView<const double> a,
                      kernels::Layout layout_b, BatchView<const double> b);

// out += alpha · op(a) op(b).
void add_product(CpuContext& context, double alpha, kernels::Layout layout_a,
                 MatrixView<const double> a, kernels::Layout layout_b, MatrixView<const double> b,
                 MatrixView<double> out);

// a⁻¹ right_side for symmetric a: Cholesky, else LU, else (reciprocal condition below rounding)
// pinv(a) right_side.
Matrix<double> solved(CpuContext& context, MatrixView<const double> a,
                      MatrixView<const double> right_side);
template <class Backend>
Batch<double> solved(Backend& context, BatchView<const double> a,
                     BatchView<const double> right_side);

// a aᵀ + ridge · I.
Matrix<double> ridged_gram(CpuContext& context, MatrixView<const double> a, double ridge);

// NaN to 0, ±Inf to ±1e5.
template <class Backend>
void clean(Backend& context, Span<double> values);

// One lagged fixed-point step, V = (α X Uᵀ) pinv(α U Uᵀ + λ₃ VᵀV − λ₃ I), where `cross` is X Uᵀ and
// U Uᵀ = diag(counts). The matrix in the middle may be indefinite: it is no descent step.
Matrix<double> next_centres(CpuContext& context, double alpha, double lambda3,
                            MatrixView<const double> cross, Span<const std::int64_t> counts,
                            MatrixView<const double> centres);
template <class Backend>
void next_centres(Backend& context, Span<const double> alphas, Span<const double> lambda3,
                  BatchView<const double> cross, MatrixView<const std::int64_t> counts,
                  BatchView<double> centres);

// ‖E‖² from the Gram matrix E Eᵀ: its largest eigenvalue or its trace; rounding may leave less than
// nothing of it, and a matrix that is not finite something that is not: see view_weights.
template <class Backend>
void squared_norms(Backend& context, BatchView<const double> gram, WeightNorm norm,
                   Span<double> norms);
double squared_norm(CpuContext& context, MatrixView<const double> gram, WeightNorm norm);

// ‖X − VU‖² from X Xᵀ, `cross` = X Uᵀ and U Uᵀ = diag(counts):
// E Eᵀ = X Xᵀ − V (X Uᵀ)ᵀ − (X Uᵀ) Vᵀ + V U Uᵀ Vᵀ.
template <class Backend>
void distance_norms(Backend& context, BatchView<const double> gram, BatchView<const double> cross,
                    BatchView<const double> centres, MatrixView<const std::int64_t> counts,
                    WeightNorm norm, Span<double> norms);
double distance_norm(CpuContext& context, MatrixView<const double> gram,
                     MatrixView<const double> cross, MatrixView<const double> centres,
                     Span<const std::int64_t> counts, WeightNorm norm);

// α ∝ exp(−λ₂ · squared norm); equal when all of them underflow.
std::vector<double> view_weights(CpuContext& context, double lambda2,
                                 const std::vector<double>& squared_norms);

// Cells in each cluster.
std::vector<std::int64_t> cluster_sizes(const std::vector<std::int32_t>& labels, int clusters);

}  // namespace m2st::cluster
