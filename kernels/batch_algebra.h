// Dense algebra on batches of small matrices (n up to some hundreds), without a word to the host:
// which way a system was solved is decided where it is solved. What a member gets depends on that
// member alone.
#pragma once

#include "engine/batch.h"
#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/gemm.h"

namespace m2st::kernels {

// out = alpha · op(a) op(b) + beta · out, member by member, as gemm does for one matrix. The sums
// of an entry are in order of the inner dimension on CUDA, in gemm's order on the CPU.
template <class T>
void multiply(CpuContext& context, Layout layout_a, Layout layout_b, T alpha, BatchView<const T> a,
              BatchView<const T> b, T beta, BatchView<T> out);
template <class T>
void multiply(CudaContext& context, Layout layout_a, Layout layout_b, T alpha, BatchView<const T> a,
              BatchView<const T> b, T beta, BatchView<T> out);

// a⁻¹ right_side for symmetric a: Cholesky, else LU, else (reciprocal condition below rounding)
// pinv(a) right_side. `solution` is contiguous.
template <class T>
void solve_symmetric(CpuContext& context, BatchView<const T> a, BatchView<const T> right_side,
                     BatchView<T> solution);
template <class T>
void solve_symmetric(CudaContext& context, BatchView<const T> a, BatchView<const T> right_side,
                     BatchView<T> solution);

// Moore–Penrose inverses of square matrices, with pseudo_inverse's rule for small singular values.
// Contiguous batches.
template <class T>
void pseudo_inverses(CpuContext& context, BatchView<const T> a, BatchView<T> out);
template <class T>
void pseudo_inverses(CudaContext& context, BatchView<const T> a, BatchView<T> out);

// values[member]: the largest eigenvalue of each symmetric matrix, the largest number of T for one
// whose trace is not finite. a: contiguous, n >= 1.
template <class T>
void largest_eigenvalues(CpuContext& context, BatchView<const T> a, Span<T> values);
template <class T>
void largest_eigenvalues(CudaContext& context, BatchView<const T> a, Span<T> values);

}  // namespace m2st::kernels
