// One graph attention layer (eq. 2 to 4): dropout, projection, attention over in-edges, heads
// merged, activation. The layer knows which parameters are its own; values come with each pass.
#pragma once

#include <cstdint>
#include <string>

#include "autograd/ops.h"
#include "autograd/parameters.h"
#include "engine/view.h"
#include "model/config.h"
#include "model/live_edges.h"

namespace m2st::model {

// How a pass is computed. kPlain: every row and every edge, op by op: the oracle. kFused: attention
// in one kernel, and what re-masking makes zero is left out. kAggregated: the same, and the layers
// that are narrower at their input sum its rows before they project them, not after. Equal up to
// the order of sums.
enum class Path { kFused, kAggregated, kPlain };

// What all layers of one forward pass share.
template <class T>
struct Pass {
  autograd::Tape<T>& tape;
  const autograd::ParameterBlock<T>& parameters;
  GraphView graph;
  bool dropout = false;  // drawn in training, not for embeddings
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  Path path = Path::kFused;
  // Set where a loss sees a part of the edges only; all of them otherwise.
  const LiveEdges* live = nullptr;
  bool recompute = false;  // drop inputs again in the backward instead of keeping them
  // Where a device keeps the epoch's number, instead of `epoch`; null elsewhere.
  const std::uint32_t* epoch_at = nullptr;
  Span<const std::int32_t> silent = {};  // of a graph that lacks edges: kernels/gat.h
};

struct GatLayerShape {
  std::int64_t inputs = 0;
  int heads = 1;
  std::int64_t outputs = 0;  // after the heads are merged
  bool activation = false;
};

// kKept: the input's value is needed elsewhere. kConsumed: dropout may happen in its memory.
enum class InputUse { kKept, kConsumed };

// Attention vectors that make logits of a layer's input instead of its projection.
template <class T>
struct FoldedAttention {
  autograd::Variable<T> source, destination;  // (H, inputs)
};

class GatLayer {
 public:
  // Adds the layer's parameters to the layout under `name.`; `index` is the layer's own random
  // stream.
  GatLayer(autograd::ParameterLayout& layout, const std::string& name, int index,
           const GatLayerShape& shape, const AutoencoderConfig& config);

  // x: (N, inputs) → (N, outputs).
  template <class T>
  autograd::Variable<T> forward(const Pass<T>& pass, const autograd::Variable<T>& x,
                                InputUse use) const;
  // The same for data x with `token` (1, inputs) in the rows `tokens`.
  template <class T>
  autograd::Variable<T> forward_tokens(const Pass<T>& pass, const autograd::TokenRows& tokens,
                                       const autograd::Variable<T>& x,
                                       const autograd::Variable<T>& token) const;
  // The same from the rows `rows` of the input, with the global ids `ids`; the others are zero.
  // With live edges only rows that have any are computed.
  template <class T>
  autograd::Variable<T> forward_rows(const Pass<T>& pass, Span<const std::int32_t> rows,
                                     Span<const std::int32_t> ids, Span<const std::int32_t> others,
                                     const autograd::Variable<T>& x) const;

 private:
  template <class T>
  double feature_dropout(const Pass<T>& pass) const;
  template <class T>
  RandomKey feature_dropout_key(const Pass<T>& pass) const;
  template <class T>
  autograd::Variable<T> project(const Pass<T>& pass, Span<const std::int32_t> ids,
                                const autograd::Variable<T>& x, InputUse use) const;
  template <class T>
  kernels::AttentionOptions attention_options(const Pass<T>& pass) const;
  template <class T>
  autograd::Variable<T> attend(const Pass<T>& pass, const autograd::Variable<T>& projected) const;
  // Whether rows are summed before they are projected, and then what is left to do.
  template <class T>
  bool sums_first(const Pass<T>& pass) const;
  template <class T>
  FoldedAttention<T> folded_attention(const Pass<T>& pass) const;
  template <class T>
  autograd::Variable<T> project_sums(const Pass<T>& pass, const autograd::Variable<T>& sums) const;
  template <class T>
  autograd::Variable<T> sum_rows(const Pass<T>& pass, Span<const std::int32_t> rows,
                                 Span<const std::int32_t> ids, Span<const std::int32_t> others,
                                 const autograd::Variable<T>& x) const;
  // The bias that is added before heads are merged; the other is added after their sum.
  template <class T>
  autograd::Variable<T> inner_bias(const Pass<T>& pass) const;
  // Heads side by side as they are, or their sum and the bias; then the activation.
  template <class T>
  autograd::Variable<T> merge(const Pass<T>& pass, const autograd::Variable<T>& out) const;

  int index_;
  int heads_;
  HeadMerge merge_;
  double leaky_slope_;
  double feature_dropout_;
  double attention_dropout_;
  // Indices into the layout; −1: the layer has none.
  int attention_source_;
  int attention_destination_;
  int bias_ = -1;
  int weight_;
  int slope_ = -1;
};

}  // namespace m2st::model
