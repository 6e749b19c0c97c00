// A few leading eigenpairs of a large symmetric operator that is only applied, never seen: block
// Lanczos with full reorthogonalisation and thick restarts (Wu and Simon, SIAM J. Matrix Anal.
// Appl. 22, 2000). Sums have shapes fixed by the sizes: same bytes for any number of threads.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// out[i,:] = A x[i,:]: every row is a vector of its own, in the context's memory.
using SymmetricOperator = std::function<void(MatrixView<const double> x, MatrixView<double> out)>;

constexpr std::int64_t kLanczosBlock = 8;  // vectors a step: one pass over a matrix serves them all

constexpr std::int64_t lanczos_basis_size(std::int64_t count) {
  return 3 * count + 8 * kLanczosBlock;
}

// Whether n leaves enough room for the method; with less, take symmetric_eigen.
constexpr bool worth_iterating(std::int64_t n, std::int64_t count) {
  return count > 0 && 2 * lanczos_basis_size(count) <= n;
}

// values (count) falling, on the host; vectors (count, n) orthonormal rows with the entry of
// largest magnitude positive. Residuals end at 1e-10 of each value or at rounding of the largest.
// False when they do not get there; values and vectors are then the best found. Needs
// worth_iterating(n, count).
bool leading_eigen(CpuContext& context, std::int64_t n, const SymmetricOperator& apply,
                   Span<double> values, MatrixView<double> vectors);
bool leading_eigen(CudaContext& context, std::int64_t n, const SymmetricOperator& apply,
                   Span<double> values, MatrixView<double> vectors);

}  // namespace m2st::kernels
