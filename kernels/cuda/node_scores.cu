// The attention logits' halves on CUDA: a warp a node; the vectors' gradients are sums down the
// columns, in double, in a fixed order.
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/node_scores.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

template <class T>
struct NodeScoresJob {
  std::int64_t nodes;
  int heads;
  int width;
  const T* projected;
  const T* attention_source;
  const T* attention_destination;
  T* source_scores;
  T* destination_scores;
};

template <class T>
__global__ void node_scores_kernel(NodeScoresJob<T> job) {
  const std::int64_t node = thread_number() / kWarp;
  if (node >= job.nodes) return;  // the whole warp
  const int lane = threadIdx.x % kWarp;
  const T* row = job.projected + node * job.heads * job.width;
  for (int h = 0; h < job.heads; ++h) {
    T source = 0, destination = 0;
    for (int c = h * job.width + lane; c < (h + 1) * job.width; c += kWarp) {
      source += row[c] * job.attention_source[c];
      destination += row[c] * job.attention_destination[c];
    }
    source = warp_sum(source, 1);
    destination = warp_sum(destination, 1);
    if (lane == 0) {
      job.source_scores[node * job.heads + h] = source;
      job.destination_scores[node * job.heads + h] = destination;
    }
  }
}

// grad_source_scores ⊗ attention_source + the destination's twin.
template <class T>
struct OuterSum {
  unsigned heads;
  unsigned width;
  const T* grad_source;
  const T* grad_destination;
  const T* attention_source;
  const T* attention_destination;
  T* grad_projected;
  __device__ T* target(std::int64_t n) const { return grad_projected + n * heads * width; }
  __device__ T value(std::int64_t n, std::int64_t c) const {
    const std::int64_t score = n * heads + static_cast<unsigned>(c) / width;
    return grad_source[score] * attention_source[c] +
           grad_destination[score] * attention_destination[c];
  }
};

// grad_score[n,h] · projected[n,h,f].
template <class T>
struct AttentionTerm {
  unsigned heads;
  unsigned width;
  const T* grad_scores;
  const T* projected;
  __device__ double operator()(std::int64_t n, std::int64_t c) const {
    return static_cast<double>(grad_scores[n * heads + static_cast<unsigned>(c) / width]) *
           static_cast<double>(projected[n * heads * width + c]);
  }
};

}  // namespace

template <class T>
void node_scores(CudaContext& context, MatrixView<const T> projected,
                 MatrixView<const T> attention_source, MatrixView<const T> attention_destination,
                 MatrixView<T> source_scores, MatrixView<T> destination_scores) {
  check_node_scores<T>("node_scores", projected, attention_source, source_scores);
  check_node_scores<T>("node_scores", projected, attention_destination, destination_scores);
  if (source_scores.size() == 0) return;
  const NodeScoresJob<T> job{projected.rows,
                             static_cast<int>(attention_source.rows),
                             static_cast<int>(attention_source.cols),
                             projected.data,
                             attention_source.data,
                             attention_destination.data,
                             source_scores.data,
                             destination_scores.data};
  launch(node_scores_kernel<T>, blocks_for(projected.rows, kBlockWarps), dim3(kBlockThreads), 0,
         context, job);
}

template <class T>
void node_scores_backward(CudaContext& context, MatrixView<const T> projected,
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
  const auto heads = static_cast<unsigned>(attention_source.rows);
  const auto width = static_cast<unsigned>(attention_source.cols);
  write_rows<T>(
      context, projected.rows, projected.cols, accumulate_projected,
      OuterSum<T>{heads, width, grad_source_scores.data, grad_destination_scores.data,
                  attention_source.data, attention_destination.data, grad_projected.data});
  const bool add = accumulate_attention == Accumulate::kAdd;
  combine_columns<double>(context, projected.rows, projected.cols,
                          AttentionTerm<T>{heads, width, grad_source_scores.data, projected.data},
                          PlusDoubles{}, StoreSum<T>{grad_attention_source.data, add});
  combine_columns<double>(
      context, projected.rows, projected.cols,
      AttentionTerm<T>{heads, width, grad_destination_scores.data, projected.data}, PlusDoubles{},
      StoreSum<T>{grad_attention_destination.data, add});
}

#define INSTANTIATE(T)                                                                          \
  template void node_scores<T>(CudaContext&, MatrixView<const T>, MatrixView<const T>,          \
                               MatrixView<const T>, MatrixView<T>, MatrixView<T>);              \
  template void node_scores_backward<T>(CudaContext&, MatrixView<const T>, MatrixView<const T>, \
                                        MatrixView<const T>, MatrixView<const T>,               \
                                        MatrixView<const T>, MatrixView<T>, Accumulate,         \
                                        MatrixView<T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
