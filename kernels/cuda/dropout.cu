// Dropout on CUDA: a thread draws one Philox block and writes the elements that share it, in
// 16-byte pieces where rows allow. Bits are those of the CPU (kernels/math/dropout.h).
#include "kernels/bfloat16.h"
#include "kernels/cuda/edge_lanes.cuh"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/epoch_key.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/dropout.h"
#include "kernels/math/attention_dropout.h"
#include "kernels/math/dropout.h"
#include "kernels/shapes.h"

namespace m2st::kernels {

namespace {

constexpr int kDraws = 8;  // of 16 bits, in one block

template <class T>
struct Copied {
  const T* x;
  __device__ T operator()(std::int64_t i) const { return x[i]; }
};

template <class T>
void keep_all(CudaContext& context, MatrixView<const T> x, MatrixView<T> out,
              Accumulate accumulate) {
  if (accumulate == Accumulate::kOverwrite && out.data == x.data) return;
  write_elements(context, x.size(), out.data, accumulate, Copied<T>{x.data});
}

template <class T, class Out>
struct DropoutJob {
  RandomKey key;
  std::uint32_t threshold;
  T scale;
  bool add;
  const std::int32_t* ids;
  MatrixView<const T> x;
  Out* out;  // may be x
};

// Elements [at, at + kPack) of a row whose draws begin with number `draw` of the block.
template <int kPack, class T>
__device__ void drop_pack(const DropoutJob<T, T>& job, const PhiloxBlock& block, int draw,
                          std::int64_t at) {
  Pack<T, kPack> values = load_pack<kPack>(job.x.data + at);
  Pack<T, kPack> results = job.add ? load_pack<kPack>(job.out + at) : Pack<T, kPack>{};
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    const bool kept = sixteen_bits(block, draw + k) >= job.threshold;
    results.of[k] += values.of[k] * (kept ? job.scale : T(0));
  }
  store_pack(results, job.out + at);
}

template <int kPack>
__device__ void drop_pack(const DropoutJob<float, BFloat16>& job, const PhiloxBlock& block,
                          int draw, std::int64_t at) {
  const Pack<float, kPack> values = load_pack<kPack>(job.x.data + at);
  Pack<BFloat16, kPack> results;
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    const bool kept = sixteen_bits(block, draw + k) >= job.threshold;
    results.of[k] = bfloat16_of(__float_as_uint(values.of[k] * (kept ? job.scale : 0.0f)));
  }
  store_pack(results, job.out + at);
}

template <int kPack, class T, class Out>
__global__ void dropout_kernel(int lanes, DropoutJob<T, Out> job) {
  const std::int64_t row = thread_number() / lanes;
  if (row >= job.x.rows) return;
  job.key = key_of_epoch(job.key);
  const auto id = static_cast<std::uint32_t>(job.ids[row]);
  for (std::int64_t c = threadIdx.x % lanes * kDraws; c < job.x.cols; c += lanes * kDraws) {
    const PhiloxBlock block = random_block(job.key, id, static_cast<std::uint32_t>(c / kDraws));
#pragma unroll
    for (int draw = 0; draw < kDraws; draw += kPack) {
      if (c + draw < job.x.cols) drop_pack<kPack>(job, block, draw, row * job.x.cols + c + draw);
    }
  }
}

template <class T, class Out>
void launch_dropout(CudaContext& context, bool wide, const DropoutJob<T, Out>& job) {
  if (job.x.size() == 0) return;
  const int lanes = lanes_of_row((job.x.cols + kDraws - 1) / kDraws);
  launch(wide ? dropout_kernel<kWidestPack<T>, T, Out> : dropout_kernel<1, T, Out>,
         blocks_for(job.x.rows, kBlockThreads / lanes), dim3(kBlockThreads), 0, context, lanes,
         job);
}

template <class T>
struct EdgeDropoutJob {
  RandomKey key;
  DropoutRule rule;
  T scale;  // the rule's
  bool add;
  const std::int32_t* ids;
  const T* x;
  T* out;  // may be x
};

// A few lanes to a node, an edge and four heads to a lane.
constexpr int kLanesOfNode = 8;

template <class T>
__global__ void edge_dropout_kernel(const std::int64_t* __restrict__ offsets,
                                    const std::int32_t* __restrict__ sources, std::int64_t nodes,
                                    int heads, EdgeDropoutJob<T> job) {
  const std::int64_t node = thread_number() / kLanesOfNode;
  if (node >= nodes) return;
  const std::int64_t end = offsets[node + 1];
  job.key = key_of_epoch(job.key);
  for (std::int64_t e = offsets[node] + threadIdx.x % kLanesOfNode; e < end; e += kLanesOfNode) {
    for (int first = 0; first < heads; first += kHeadsPerBlock) {
      const RandomKey key = attention_key(job.key, first / kHeadsPerBlock);
      const PhiloxBlock block = attention_block(key, job.ids[node], job.ids[sources[e]]);
#pragma unroll
      for (int k = 0; k < kHeadsPerBlock; ++k) {
        if (first + k >= heads) break;
        const std::int64_t at = e * heads + first + k;
        const T value = job.x[at] * (attention_kept(block.word[k], job.rule) ? job.scale : T(0));
        job.out[at] = job.add ? job.out[at] + value : value;
      }
    }
  }
}

}  // namespace

template <class T>
void dropout(CudaContext& context, RandomKey key, double probability, Span<const std::int32_t> ids,
             MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate) {
  check_dropout_shapes("dropout", std::ssize(ids), x, out);
  const DropoutRule rule = checked_dropout_rule("dropout", probability);
  if (rule.threshold == 0) return keep_all(context, x, out, accumulate);
  launch_dropout(context, fits_packs<kWidestPack<T>>(x.cols, x.data, out.data),
                 DropoutJob<T, T>{key, rule.threshold, static_cast<T>(rule.scale),
                                  accumulate == Accumulate::kAdd, ids.data(), x, out.data});
}

void dropout_to_bfloat16(CudaContext& context, RandomKey key, double probability,
                         Span<const std::int32_t> ids, MatrixView<const float> x,
                         MatrixView<BFloat16> out) {
  check_dropout_shapes("dropout_to_bfloat16", std::ssize(ids), x, out);
  const DropoutRule rule = checked_dropout_rule("dropout_to_bfloat16", probability);
  if (rule.threshold == 0) return round_to_bfloat16(context, x.span(), out.span());
  constexpr int kPack = kWidestPack<float>;
  const bool wide = fits_packs<kPack>(x.cols, x.data) && fits_packs<kPack>(x.cols, out.data);
  launch_dropout(context, wide,
                 DropoutJob<float, BFloat16>{key, rule.threshold, static_cast<float>(rule.scale),
                                             false, ids.data(), x, out.data});
}

template <class T>
void edge_dropout(CudaContext& context, const GraphView& graph, RandomKey key, double probability,
                  MatrixView<const T> x, MatrixView<T> out, Accumulate accumulate) {
  check_dropout_shapes("edge_dropout", graph.edges(), x, out);
  const DropoutRule rule = checked_dropout_rule("edge_dropout", probability);
  if (rule.threshold == 0) return keep_all(context, x, out, accumulate);
  if (x.size() == 0) return;
  const EdgeDropoutJob<T> job{
      key,    rule,    static_cast<T>(rule.scale), accumulate == Accumulate::kAdd, graph.ids.data(),
      x.data, out.data};
  launch(edge_dropout_kernel<T>, blocks_for(graph.nodes(), kBlockThreads / kLanesOfNode),
         dim3(kBlockThreads), 0, context, graph.in.offsets.data(), graph.in.sources.data(),
         graph.nodes(), static_cast<int>(x.cols), job);
}

#define INSTANTIATE(T)                                                                \
  template void dropout<T>(CudaContext&, RandomKey, double, Span<const std::int32_t>, \
                           MatrixView<const T>, MatrixView<T>, Accumulate);           \
  template void edge_dropout<T>(CudaContext&, const GraphView&, RandomKey, double,    \
                                MatrixView<const T>, MatrixView<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
