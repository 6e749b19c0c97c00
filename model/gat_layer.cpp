#include "model/gat_layer.h"

#include <cmath>
#include <type_traits>

#include "engine/random.h"
#include "kernels/gemm.h"

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

// Whether a product's operands are best kept in BF16: it rounds them to that anyway. The library
// wants lines of 16 bytes.
bool kept_in_bfloat16(Context& context, const Variable<float>& weight) {
  constexpr std::int64_t kLine = 8;
  return context.matmul_precision() == MatmulPrecision::kMedium && weight.rows() % kLine == 0 &&
         weight.cols() % kLine == 0 &&
         context.dispatch([](auto& c) { return kernels::multiplies_bfloat16(c); });
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
kernels::AttentionOptions GatLayer::attention_options(const Pass<T>& pass) const {
  kernels::AttentionOptions options;
  options.leaky_slope = leaky_slope_;
  options.dropout = pass.dropout ? attention_dropout_ : 0.0;
  options.key = {pass.seed,
                 stream_of(Purpose::kAttentionDropout, static_cast<std::uint32_t>(index_)),
                 pass.epoch, pass.epoch_at};
  options.silent = pass.silent;
  return options;
}

template <class T>
Variable<T> GatLayer::attend(const Pass<T>& pass, const Variable<T>& projected) const {
  const auto scores =
      autograd::node_scores(pass.tape, projected, pass.parameters.variable(attention_source_),
                            pass.parameters.variable(attention_destination_));
  const auto attention =
      pass.path == Path::kPlain ? autograd::gat_attention_composed<T> : autograd::gat_attention<T>;
  return merge(pass, attention(pass.tape, pass.graph, attention_options(pass), projected, scores,
                               inner_bias(pass)));
}

template <class T>
Variable<T> GatLayer::inner_bias(const Pass<T>& pass) const {
  // Summed heads share one bias of the merged width, so it is added after the merge.
  return merge_ == HeadMerge::kConcatenate ? optional_parameter(pass, bias_) : Variable<T>();
}

template <class T>
Variable<T> GatLayer::merge(const Pass<T>& pass, const Variable<T>& out) const {
  Variable<T> merged = out;
  if (merge_ == HeadMerge::kSum) {
    merged = autograd::sum_heads(pass.tape, out, heads_);
    const Variable<T> bias = optional_parameter(pass, bias_);
    if (bias.defined()) merged = autograd::add_row_in_place(pass.tape, merged, bias);
  }
  return slope_ < 0 ? merged : autograd::prelu(pass.tape, merged, pass.parameters.variable(slope_));
}

template <class T>
bool GatLayer::sums_first(const Pass<T>& pass) const {
  const Variable<T>& weight = pass.parameters.variable(weight_);
  return pass.path == Path::kAggregated && weight.cols() < weight.rows();
}

template <class T>
FoldedAttention<T> GatLayer::folded_attention(const Pass<T>& pass) const {
  const Variable<T>& weight = pass.parameters.variable(weight_);
  return {autograd::fold_attention(pass.tape, pass.parameters.variable(attention_source_), weight),
          autograd::fold_attention(pass.tape, pass.parameters.variable(attention_destination_),
                                   weight)};
}

template <class T>
Variable<T> GatLayer::project_sums(const Pass<T>& pass, const Variable<T>& sums) const {
  return autograd::project_heads(pass.tape, heads_, sums, pass.parameters.variable(weight_),
                                 inner_bias(pass));
}

template <class T>
double GatLayer::feature_dropout(const Pass<T>& pass) const {
  return pass.dropout ? feature_dropout_ : 0.0;
}

template <class T>
RandomKey GatLayer::feature_dropout_key(const Pass<T>& pass) const {
  return {pass.seed, stream_of(Purpose::kFeatureDropout, static_cast<std::uint32_t>(index_)),
          pass.epoch, pass.epoch_at};
}

template <class T>
Variable<T> GatLayer::project(const Pass<T>& pass, Span<const std::int32_t> ids,
                              const Variable<T>& x, InputUse use) const {
  const double probability = feature_dropout(pass);
  const RandomKey key = feature_dropout_key(pass);
  if (use == InputUse::kKept && pass.recompute && probability > 0) {
    return autograd::linear_of_dropped(pass.tape, key, probability, ids, x,
                                       pass.parameters.variable(weight_));
  }
  const Variable<T>& weight = pass.parameters.variable(weight_);
  if constexpr (std::is_same_v<T, float>) {
    if (pass.dropout && pass.path != Path::kPlain &&
        kept_in_bfloat16(pass.tape.context(), weight)) {
      return autograd::linear_in_bfloat16(pass.tape, key, probability, ids, x,
                                          use == InputUse::kConsumed, weight);
    }
  }
  const Variable<T> kept = use == InputUse::kConsumed
                               ? autograd::dropout_in_place(pass.tape, key, probability, ids, x)
                               : autograd::dropout(pass.tape, key, probability, ids, x);
  return autograd::linear(pass.tape, kept, weight);
}

template <class T>
Variable<T> GatLayer::forward(const Pass<T>& pass, const Variable<T>& x, InputUse use) const {
  if (!sums_first(pass) || x.needs_gradient()) {
    return attend(pass, project(pass, pass.graph.ids, x, use));
  }
  const FoldedAttention<T> vectors = folded_attention(pass);
  const auto drop =
      use == InputUse::kConsumed ? autograd::dropout_in_place<T> : autograd::dropout<T>;
  const Variable<T> kept =
      drop(pass.tape, feature_dropout_key(pass), feature_dropout(pass), pass.graph.ids, x);
  const Variable<T> sums = autograd::sum_features(pass.tape, pass.graph, attention_options(pass),
                                                  kept, vectors.source, vectors.destination);
  return merge(pass, project_sums(pass, sums));
}

template <class T>
Variable<T> GatLayer::forward_tokens(const Pass<T>& pass, const autograd::TokenRows& tokens,
                                     const Variable<T>& x, const Variable<T>& token) const {
  const RandomKey key = feature_dropout_key(pass);
  if (!sums_first(pass)) {
    return attend(pass,
                  autograd::linear_of_tokens(pass.tape, key, feature_dropout(pass), pass.graph.ids,
                                             tokens, x, token, pass.parameters.variable(weight_)));
  }
  const FoldedAttention<T> vectors = folded_attention(pass);
  const Variable<T> sums = autograd::sum_features_of_tokens(
      pass.tape, pass.graph, attention_options(pass), key, feature_dropout(pass), tokens, x, token,
      vectors.source, vectors.destination);
  return merge(pass, project_sums(pass, sums));
}

template <class T>
Variable<T> GatLayer::forward_rows(const Pass<T>& pass, Span<const std::int32_t> rows,
                                   Span<const std::int32_t> ids, Span<const std::int32_t> others,
                                   const Variable<T>& x) const {
  // Several heads would each want a gradient of the rows they share.
  if (sums_first(pass) && heads_ == 1 && pass.live != nullptr) {
    return sum_rows(pass, rows, ids, others, x);
  }
  const Variable<T> projected = project(pass, ids, x, InputUse::kConsumed);
  const Variable<T> spread = autograd::spread_rows(pass.tape, rows, others, projected);
  projected.drop_value();
  return attend(pass, spread);
}

// One head sees the input as it would see a projection as wide. No edge leads into `rows`.
template <class T>
Variable<T> GatLayer::sum_rows(const Pass<T>& pass, Span<const std::int32_t> rows,
                               Span<const std::int32_t> ids, Span<const std::int32_t> others,
                               const Variable<T>& x) const {
  const FoldedAttention<T> vectors = folded_attention(pass);
  const Variable<T> kept = autograd::dropout_in_place(pass.tape, feature_dropout_key(pass),
                                                      feature_dropout(pass), ids, x);
  const Variable<T> spread = autograd::spread_rows(pass.tape, rows, others, kept);
  kept.drop_value();
  const auto scores = autograd::node_scores(pass.tape, spread, vectors.source, vectors.destination);
  const Variable<T> sums = autograd::gat_attention(pass.tape, pass.graph, attention_options(pass),
                                                   spread, scores, Variable<T>());
  const Variable<T> out = project_sums(pass, autograd::gather_rows<T>(pass.tape, others, sums));
  const Variable<T> all = autograd::spread_rows(pass.tape, others, rows, out);
  out.drop_value();
  return merge(pass, all);
}

#define INSTANTIATE(T)                                                                            \
  template Variable<T> GatLayer::forward<T>(const Pass<T>&, const Variable<T>&, InputUse) const;  \
  template Variable<T> GatLayer::forward_tokens<T>(const Pass<T>&, const autograd::TokenRows&,    \
                                                   const Variable<T>&, const Variable<T>&) const; \
  template Variable<T> GatLayer::forward_rows<T>(                                                 \
      const Pass<T>&, Span<const std::int32_t>, Span<const std::int32_t>,                         \
      Span<const std::int32_t>, const Variable<T>&) const;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::model
