// The kernels for one matrix, member by member; blocks whose rows lie apart go through copies.
#include "kernels/batch_algebra.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/array.h"
#include "kernels/batch_shapes.h"
#include "kernels/linear_algebra.h"

namespace m2st::kernels {

namespace {

// A member as kernels for one matrix take it.
template <class T>
class Member {
 public:
  Member(CpuContext& context, BatchView<const T> batch, std::int64_t which) {
    if (batch.whole_rows() || batch.rows == 1) {
      view_ = batch.member(which);
      return;
    }
    copy_ = Matrix<T>(context.pool(), batch.rows, batch.cols);
    for (std::int64_t i = 0; i < batch.rows; ++i) {
      std::copy_n(batch.data + which * batch.member_stride + i * batch.row_stride, batch.cols,
                  copy_.view().row(i).data());
    }
    view_ = copy_.view();
  }
  MatrixView<const T> view() const { return view_; }

 private:
  Matrix<T> copy_;
  MatrixView<const T> view_;
};

template <class T>
void multiply_member(CpuContext& context, Layout layout_a, Layout layout_b, T alpha,
                     MatrixView<const T> a, MatrixView<const T> b, T beta, BatchView<T> out,
                     std::int64_t which) {
  if (out.whole_rows() || out.rows == 1) {
    gemm<T>(context, layout_a, layout_b, alpha, a, b, beta, out.member(which));
    return;
  }
  Matrix<T> result(context.pool(), out.rows, out.cols);
  T* const first = out.data + which * out.member_stride;
  for (std::int64_t i = 0; i < out.rows; ++i) {
    std::copy_n(first + i * out.row_stride, out.cols, result.view().row(i).data());
  }
  gemm<T>(context, layout_a, layout_b, alpha, a, b, beta, result.view());
  for (std::int64_t i = 0; i < out.rows; ++i) {
    std::copy_n(result.view().row(i).data(), out.cols, first + i * out.row_stride);
  }
}

template <class T>
void solve_member(CpuContext& context, MatrixView<const T> a, MatrixView<const T> right_side,
                  MatrixView<T> solution) {
  if (solve_spd<T>(context, a, right_side, solution)) return;
  const T condition = solve_general<T>(context, a, right_side, solution);
  if (condition >= std::numeric_limits<T>::epsilon()) return;
  Matrix<T> inverse(context.pool(), a.cols, a.rows);
  pseudo_inverse<T>(context, a, inverse.view());
  gemm<T>(context, Layout::kPlain, Layout::kPlain, T(1), inverse.view(), right_side, T(0),
          solution);
}

}  // namespace

template <class T>
void multiply(CpuContext& context, Layout layout_a, Layout layout_b, T alpha, BatchView<const T> a,
              BatchView<const T> b, T beta, BatchView<T> out) {
  check_batch_product<T>(layout_a, layout_b, a, b, out);
  for (std::int64_t s = 0; s < out.count; ++s) {
    const Member<T> left(context, a, s), right(context, b, s);
    multiply_member(context, layout_a, layout_b, alpha, left.view(), right.view(), beta, out, s);
  }
}

template <class T>
void solve_symmetric(CpuContext& context, BatchView<const T> a, BatchView<const T> right_side,
                     BatchView<T> solution) {
  check_batch_systems<T>(a, right_side, solution);
  for (std::int64_t s = 0; s < a.count; ++s) {
    const Member<T> system(context, a, s), right(context, right_side, s);
    solve_member(context, system.view(), right.view(), solution.member(s));
  }
}

template <class T>
void pseudo_inverses(CpuContext& context, BatchView<const T> a, BatchView<T> out) {
  check_pseudo_inverses<T>(a, out);
  for (std::int64_t s = 0; s < a.count; ++s) {
    pseudo_inverse<T>(context, a.member(s), out.member(s));
  }
}

template <class T>
void largest_eigenvalues(CpuContext& context, BatchView<const T> a, Span<T> values) {
  check_square_batch<T>("largest_eigenvalues", a, values.size());
  for (std::int64_t s = 0; s < a.count; ++s) {
    const MatrixView<const T> matrix = a.member(s);
    T trace = 0;
    for (std::int64_t i = 0; i < a.rows; ++i) trace += matrix(i, i);
    values[static_cast<std::size_t>(s)] = std::isfinite(trace)
                                              ? largest_eigenvalue<T>(context, matrix)
                                              : std::numeric_limits<T>::max();
  }
}

#define INSTANTIATE(T)                                                                  \
  template void multiply<T>(CpuContext&, Layout, Layout, T, BatchView<const T>,         \
                            BatchView<const T>, T, BatchView<T>);                       \
  template void solve_symmetric<T>(CpuContext&, BatchView<const T>, BatchView<const T>, \
                                   BatchView<T>);                                       \
  template void pseudo_inverses<T>(CpuContext&, BatchView<const T>, BatchView<T>);      \
  template void largest_eigenvalues<T>(CpuContext&, BatchView<const T>, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
