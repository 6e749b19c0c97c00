#include "model/gat_layer.h"

#include <cmath>

#include "engine/random.h"

namespace m2st::model {

using autograd::Initialiser;
using autograd::Variable;

namespace {

constexpr double kPreluStart = 0.25;

// nn.init.calculate_gain("relu"), which the reference code passes to every Xavier draw.
double gain() { return std::sqrt(2.0); }

template <class T>
Variable<T> optional_parameter(const Pass<T>& pass, int index) {
  return index < 0 ? Variable<T>() : pass.parameters.variable(index);
}

}  // namespace

GatLayer::GatLayer(autograd::ParameterLayout& layout, const std::string& name, int index,
                   const GatLayerShape& shape, const AutoencoderConfig& config)
    : index_(index),
      heads_(shape.heads),
      // A single head needs no merge.
      merge_(shape.heads == 1 ? HeadMerge::kConcatenate : config.head_merge),
      leaky_slope_(config.leaky_slope),
      feature_dropout_(config.feature_dropout),
      attention_dropout_(config.attention_dropout) {
  const bool concatenated = merge_ == HeadMerge::kConcatenate;
  const std::int64_t features = concatenated ? shape.outputs / shape.heads : shape.outputs;
  const std::int64_t width = shape.heads * features;
  const Initialiser attention = autograd::xavier_normal(width, features, gain());
  attention_source_ = layout.add(name + ".attn_src", shape.heads, features, attention);
  attention_destination_ = layout.add(name + ".attn_dst", shape.heads, features, attention);
  if (config.bias) bias_ = layout.add(name + ".bias", 1, shape.outputs, Initialiser{});
  weight_ = layout.add(name + ".weight", width, shape.inputs,
                       autograd::xavier_normal(shape.inputs, width, gain()));
  if (shape.activation) {
    slope_ = layout.add(name + ".prelu", 1, 1,
                        Initialiser{autograd::Distribution::kConstant, kPreluStart});
  }
}

template <class T>
Variable<T> GatLayer::attend(const Pass<T>& pass, const Variable<T>& projected) const {
  kernels::AttentionOptions options;
  options.leaky_slope = leaky_slope_;
  options.dropout = pass.dropout ? attention_dropout_ : 0.0;
  options.key = {pass.seed,
                 stream_of(Purpose::kAttentionDropout, static_cast<std::uint32_t>(index_)),
                 pass.epoch};
  const auto scores =
      autograd::node_scores(pass.tape, projected, pass.parameters.variable(attention_source_),
                            pass.parameters.variable(attention_destination_));
  const Variable<T> bias = optional_parameter(pass, bias_);
  // Summed heads share one bias of the merged width, so it is added after the merge.
  const Variable<T> inner = merge_ == HeadMerge::kConcatenate ? bias : Variable<T>();
  const Variable<T> out =
      pass.attention == AttentionPath::kFused
          ? autograd::gat_attention(pass.tape, pass.graph, options, projected, scores, inner)
          : autograd::gat_attention_composed(pass.tape, pass.graph, options, projected, scores,
                                             inner);
  if (merge_ == HeadMerge::kConcatenate) return out;
  const Variable<T> merged = autograd::sum_heads(pass.tape, out, heads_);
  return bias.defined() ? autograd::add_row_in_place(pass.tape, merged, bias) : merged;
}

template <class T>
Variable<T> GatLayer::forward(const Pass<T>& pass, const Variable<T>& x, InputUse use) const {
  const double probability = pass.dropout ? feature_dropout_ : 0.0;
  const RandomKey key{pass.seed,
                      stream_of(Purpose::kFeatureDropout, static_cast<std::uint32_t>(index_)),
                      pass.epoch};
  const Variable<T> kept =
      use == InputUse::kConsumed
          ? autograd::dropout_in_place(pass.tape, key, probability, pass.graph.ids, x)
          : autograd::dropout(pass.tape, key, probability, pass.graph.ids, x);
  const Variable<T> projected =
      autograd::linear(pass.tape, kept, pass.parameters.variable(weight_));
  const Variable<T> out = attend(pass, projected);
  return slope_ < 0 ? out : autograd::prelu(pass.tape, out, pass.parameters.variable(slope_));
}

#define INSTANTIATE(T) \
  template Variable<T> GatLayer::forward<T>(const Pass<T>&, const Variable<T>&, InputUse) const;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::model
