// Products head by head on the CPU: one product a head, of columns that lie side by side.
#include "kernels/project_heads.h"

#include "kernels/cpu/strided_gemm.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

// The columns of one head, as the left or right side of a product.
template <class T>
GemmOperand<T> columns_of(MatrixView<const T> x, std::int64_t heads, std::int64_t head,
                          bool transposed) {
  return {x.data + head * (x.cols / heads), x.cols, transposed};
}

template <class T>
GemmOutput<T> columns_into(MatrixView<T> out, std::int64_t heads, std::int64_t head) {
  const std::int64_t width = out.cols / heads;
  return {out.data + head * width, out.rows, width, out.cols};
}

template <class T>
T beta_of(Accumulate accumulate) {
  return accumulate == Accumulate::kAdd ? T(1) : T(0);
}

}  // namespace

template <class T>
void project_heads(CpuContext& context, std::int64_t heads, MatrixView<const T> x,
                   MatrixView<const T> weight, Span<const T> bias, MatrixView<T> out,
                   Accumulate accumulate) {
  check_project_heads<T>("project_heads", heads, x, weight, out);
  check_bias_of_heads<T>("project_heads", bias, out, accumulate);
  const std::int64_t features = weight.rows / heads;
  for (std::int64_t h = 0; h < heads; ++h) {
    GemmOutput<T> target = columns_into(out, heads, h);
    if (!bias.empty()) target.bias = bias.data() + h * features;
    const MatrixView<const T> own = weight.slice(h * features, features);
    strided_gemm(context, columns_of<T>(x, heads, h, false),
                 GemmOperand<T>{own.data, own.cols, true}, own.cols, T(1), beta_of<T>(accumulate),
                 target);
  }
}

template <class T>
void project_heads_backward_x(CpuContext& context, std::int64_t heads, MatrixView<const T> grad_out,
                              MatrixView<const T> weight, MatrixView<T> grad_x) {
  check_project_heads<T>("project_heads_backward_x", heads, grad_x, weight, grad_out);
  const std::int64_t features = weight.rows / heads;
  for (std::int64_t h = 0; h < heads; ++h) {
    const MatrixView<const T> own = weight.slice(h * features, features);
    strided_gemm(context, columns_of<T>(grad_out, heads, h, false),
                 GemmOperand<T>{own.data, own.cols, false}, own.rows, T(1), T(0),
                 columns_into(grad_x, heads, h));
  }
}

template <class T>
void project_heads_backward_weight(CpuContext& context, std::int64_t heads,
                                   MatrixView<const T> grad_out, MatrixView<const T> x,
                                   MatrixView<T> grad_weight, Accumulate accumulate) {
  check_project_heads<T>("project_heads_backward_weight", heads, x, grad_weight, grad_out);
  const std::int64_t features = grad_weight.rows / heads;
  for (std::int64_t h = 0; h < heads; ++h) {
    const MatrixView<T> own = grad_weight.slice(h * features, features);
    strided_gemm(context, columns_of<T>(grad_out, heads, h, true),
                 columns_of<T>(x, heads, h, false), x.rows, T(1), beta_of<T>(accumulate),
                 GemmOutput<T>{own.data, own.rows, own.cols, own.cols});
  }
}

#define INSTANTIATE(T)                                                                           \
  template void project_heads<T>(CpuContext&, std::int64_t, MatrixView<const T>,                 \
                                 MatrixView<const T>, Span<const T>, MatrixView<T>, Accumulate); \
  template void project_heads_backward_x<T>(CpuContext&, std::int64_t, MatrixView<const T>,      \
                                            MatrixView<const T>, MatrixView<T>);                 \
  template void project_heads_backward_weight<T>(CpuContext&, std::int64_t, MatrixView<const T>, \
                                                 MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
