// The attention logits' halves. The vectors' gradients are sums over all nodes: partial sums of
// fixed ranges of nodes, added up in double in the order of the ranges.
#include "kernels/node_scores.h"

#include <algorithm>

#include "engine/array.h"
#include "engine/parallel.h"
#include "kernels/cpu/row_products.h"
#include "kernels/reduce.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr std::int64_t kNodeGrain = 64;

// out[h,f] (+)= a[h] · x[h,f] + b[h] · y[h,f].
template <class T>
void outer_sum(const T* a, const T* b, MatrixView<const T> x, MatrixView<const T> y, bool add,
               T* __restrict out) {
  for (std::int64_t h = 0; h < x.rows; ++h) {
    const T* __restrict x_row = x.data + h * x.cols;
    const T* __restrict y_row = y.data + h * x.cols;
    T* __restrict out_row = out + h * x.cols;
    if (add) {
      for (std::int64_t f = 0; f < x.cols; ++f) {
        out_row[f] += a[h] * x_row[f] + b[h] * y_row[f];
      }
    } else {
      for (std::int64_t f = 0; f < x.cols; ++f) out_row[f] = a[h] * x_row[f] + b[h] * y_row[f];
    }
  }
}

}  // namespace

template <class T>
void node_scores(CpuContext& context, MatrixView<const T> projected,
                 MatrixView<const T> attention_source, MatrixView<const T> attention_destination,
                 MatrixView<T> source_scores, MatrixView<T> destination_scores) {
  check_node_scores<T>("node_scores", projected, attention_source, source_scores);
  check_node_scores<T>("node_scores", projected, attention_destination, destination_scores);
  const std::int64_t heads = attention_source.rows;
  const std::int64_t width = attention_source.cols;
  parallel_for(context, projected.rows, kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t n = first; n < last; ++n) {
      for (std::int64_t h = 0; h < heads; ++h) {
        const T* features = projected.data + n * projected.cols + h * width;
        source_scores(n, h) = dot(features, attention_source.data + h * width, width);
        destination_scores(n, h) = dot(features, attention_destination.data + h * width, width);
      }
    }
  });
}

template <class T>
void node_scores_backward(CpuContext& context, MatrixView<const T> projected,
                          MatrixView<const T> attention_source,
                          MatrixView<const T> attention_destination,
                          MatrixView<const T> grad_source_scores,
                          MatrixView<const T> grad_destination_scores, MatrixView<T> grad_projected,
                          Accumulate accumulate_projected, MatrixView<T> grad_attention_source,
                          MatrixView<T> grad_attention_destination,
                          Accumulate accumulate_attention) {
  check_node_scores<T>("node_scores_backward", projected, attention_source, grad_source_scores);
  check_node_scores<T>("node_scores_backward", projected, attention_destination,
                       grad_destination_scores);
  const std::int64_t heads = attention_source.rows;
  const std::int64_t width = attention_source.cols;
  const std::int64_t row = projected.cols;
  const std::int64_t chunks = chunk_count(projected.rows, kNodeGrain);
  Matrix<T> source_sums(context.pool(), chunks, row);
  Matrix<T> destination_sums(context.pool(), chunks, row);
  const bool add = accumulate_projected == Accumulate::kAdd;
  parallel_for(context, projected.rows, kNodeGrain, [&](std::int64_t first, std::int64_t last) {
    T* source_sum = source_sums.data() + first / kNodeGrain * row;
    T* destination_sum = destination_sums.data() + first / kNodeGrain * row;
    std::fill_n(source_sum, row, T(0));
    std::fill_n(destination_sum, row, T(0));
    for (std::int64_t n = first; n < last; ++n) {
      const T* grad_source = grad_source_scores.data + n * heads;
      const T* grad_destination = grad_destination_scores.data + n * heads;
      outer_sum(grad_source, grad_destination, attention_source, attention_destination, add,
                grad_projected.data + n * row);
      for (std::int64_t h = 0; h < heads; ++h) {
        const T* features = projected.data + n * row + h * width;
        add_scaled(grad_source[h], features, width, source_sum + h * width);
        add_scaled(grad_destination[h], features, width, destination_sum + h * width);
      }
    }
  });
  column_sums<T>(context, source_sums.view(), grad_attention_source.span(), accumulate_attention);
  column_sums<T>(context, destination_sums.view(), grad_attention_destination.span(),
                 accumulate_attention);
}

#define INSTANTIATE(T)                                                                         \
  template void node_scores<T>(CpuContext&, MatrixView<const T>, MatrixView<const T>,          \
                               MatrixView<const T>, MatrixView<T>, MatrixView<T>);             \
  template void node_scores_backward<T>(CpuContext&, MatrixView<const T>, MatrixView<const T>, \
                                        MatrixView<const T>, MatrixView<const T>,              \
                                        MatrixView<const T>, MatrixView<T>, Accumulate,        \
                                        MatrixView<T>, MatrixView<T>, Accumulate)
INSTANTIATE(float);
INSTANTIATE(double);
#undef INSTANTIATE

}  // namespace m2st::kernels
