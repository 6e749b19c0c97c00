#include "model/autoencoder.h"

#include <cmath>
#include <string>

#include "kernels/rows.h"

namespace m2st::model {

using autograd::Distribution;
using autograd::Initialiser;
using autograd::Variable;

std::int64_t Autoencoder::code_width(const AutoencoderConfig& config, int scale) {
  return static_cast<std::int64_t>(config.hidden) >> scale;
}

std::int64_t Autoencoder::shared_width(const AutoencoderConfig& config, std::int64_t width) {
  const std::int64_t features = config.shared_width > 0 ? config.shared_width : width;
  return config.head_merge == HeadMerge::kConcatenate ? config.heads * features : features;
}

Autoencoder::Autoencoder(const AutoencoderConfig& config, std::int64_t width)
    : config_(config), width_(width) {
  mask_token_ = layout_.add("mask_token", 1, width, Initialiser{});
  const GatLayerShape shape{width, config.heads, shared_width(config, width),
                            config.shared_activation};
  shared_.emplace_back(layout_, "shared", layers_++, shape, config);
  scales_.resize(static_cast<std::size_t>(config.scales));
  add_encoders();
  add_decoders();
}

void Autoencoder::add_encoders() {
  for (int m = 0; m < config_.scales; ++m) {
    Scale& scale = scales_[static_cast<std::size_t>(m)];
    for (int layer = 0; layer < config_.layers; ++layer) {
      const std::int64_t inputs = layer == 0 ? shared_width(config_, width_) : code_width(m);
      const GatLayerShape shape{inputs, config_.heads, code_width(m), true};
      scale.encoder.emplace_back(layout_, concat("encoder", m, ".layer", layer), layers_++, shape,
                                 config_);
    }
  }
}

void Autoencoder::add_decoders() {
  for (int m = 0; config_.encoder_to_decoder && m < config_.scales; ++m) {
    // torch.nn.Linear's start: uniform in ± 1/√inputs.
    const Initialiser start{Distribution::kUniform,
                            1.0 / std::sqrt(static_cast<double>(code_width(m)))};
    scales_[static_cast<std::size_t>(m)].encoder_to_decoder =
        layout_.add(concat("enc_to_dec", m, ".weight"), code_width(m), code_width(m), start);
  }
  for (int m = 0; m < config_.scales; ++m) {
    const GatLayerShape shape{code_width(m), config_.decoder_heads, width_,
                              config_.decoder_activation};
    scales_[static_cast<std::size_t>(m)].decoder.emplace_back(layout_, concat("decoder", m),
                                                              layers_++, shape, config_);
  }
  for (int m = 0; config_.remask == Remask::kLearnable && m < config_.scales; ++m) {
    scales_[static_cast<std::size_t>(m)].remask_token =
        layout_.add(concat("remask_token", m), 1, code_width(m), Initialiser{});
  }
}

// A copy of the features with the mask's replacements in it.
template <class T>
Variable<T> Autoencoder::replaced_features(const Pass<T>& pass, MatrixView<const T> features,
                                           const MaskLists& mask) const {
  Matrix<T> copy(pass.tape.pool(), features.rows, features.cols);
  pass.tape.context().dispatch([&](auto& c) {
    kernels::axpby<T>(c, T(1), features.span(), T(0), copy.span());
    if (mask.replaced.empty()) return;
    Matrix<T> donors(c.pool(), std::ssize(mask.donors), features.cols);
    kernels::gather_rows<T>(c, mask.donors, features, donors.view());
    kernels::scatter_rows<T>(c, mask.replaced, donors.view(), copy.view(),
                             kernels::Accumulate::kOverwrite);
  });
  return Variable<T>(std::move(copy), false);
}

template <class T>
Variable<T> Autoencoder::masked_features(const Pass<T>& pass, MatrixView<const T> features,
                                         const MaskLists& mask) const {
  const Variable<T> x = replaced_features(pass, features, mask);
  if (mask.tokens.empty()) return x;
  return autograd::fill_rows_in_place<T>(pass.tape, mask.tokens, x,
                                         pass.parameters.variable(mask_token_));
}

template <class T>
Variable<T> Autoencoder::encode_shared(const Pass<T>& pass, const Variable<T>& x) const {
  return shared_.front().forward(pass, x, InputUse::kConsumed);
}

template <class T>
Variable<T> Autoencoder::encode_masked(const Pass<T>& pass, MatrixView<const T> features,
                                       const MaskLists& mask) const {
  if (pass.path == Path::kPlain || mask.tokens.empty()) {
    return encode_shared(pass, masked_features(pass, features, mask));
  }
  return shared_.front().forward_tokens(pass, {mask.tokens, mask.token_ids, mask.others},
                                        replaced_features(pass, features, mask),
                                        pass.parameters.variable(mask_token_));
}

namespace {

// The pass on a part of the edges, or as it is where there is no such part.
template <class T>
Pass<T> narrowed(const Pass<T>& pass, GraphView LiveEdges::*part) {
  Pass<T> result = pass;
  if (pass.live != nullptr) result.graph = pass.live->*part;
  return result;
}

}  // namespace

template <class T>
Variable<T> Autoencoder::encode(const Pass<T>& pass, int scale, const Variable<T>& shared) const {
  Variable<T> codes = shared;
  InputUse use = InputUse::kKept;  // every scale reads h0, and so does the shared layer's backward
  const std::vector<GatLayer>& layers = scales_[static_cast<std::size_t>(scale)].encoder;
  for (const GatLayer& layer : layers) {
    const bool last = &layer == &layers.back();
    codes = layer.forward(last ? narrowed(pass, &LiveEdges::codes) : pass, codes, use);
    use = InputUse::kConsumed;
  }
  return codes;
}

template <class T>
Variable<T> Autoencoder::map_to_decoder(const Pass<T>& pass, const Scale& parts,
                                        const Variable<T>& codes) const {
  return parts.encoder_to_decoder < 0
             ? codes
             : autograd::linear(pass.tape, codes,
                                pass.parameters.variable(parts.encoder_to_decoder));
}

template <class T>
Variable<T> Autoencoder::decode(const Pass<T>& pass, int scale, const Variable<T>& codes,
                                const MaskLists& mask) const {
  const Scale& parts = scales_[static_cast<std::size_t>(scale)];
  const GatLayer& decoder = parts.decoder.front();
  Pass<T> live = narrowed(pass, &LiveEdges::outputs);
  if (pass.live != nullptr) live.silent = pass.live->silent;
  // Codes re-masked with zeros stay zero through every map: only the other rows are computed.
  if (pass.path != Path::kPlain && config_.remask == Remask::kZero && !mask.masked.empty()) {
    const Variable<T> kept = autograd::gather_rows<T>(pass.tape, mask.kept, codes);
    codes.drop_value();
    return decoder.forward_rows<T>(live, mask.kept, mask.kept_ids, mask.masked,
                                   map_to_decoder(pass, parts, kept));
  }
  Variable<T> x = map_to_decoder(pass, parts, codes);
  if (!mask.masked.empty()) {
    const Variable<T> token =
        parts.remask_token < 0 ? Variable<T>() : pass.parameters.variable(parts.remask_token);
    x = autograd::fill_rows_in_place<T>(pass.tape, mask.masked, x, token);
  }
  return decoder.forward(live, x, InputUse::kConsumed);
}

#define INSTANTIATE(T)                                                                          \
  template Variable<T> Autoencoder::masked_features<T>(const Pass<T>&, MatrixView<const T>,     \
                                                       const MaskLists&) const;                 \
  template Variable<T> Autoencoder::encode_shared<T>(const Pass<T>&, const Variable<T>&) const; \
  template Variable<T> Autoencoder::encode_masked<T>(const Pass<T>&, MatrixView<const T>,       \
                                                     const MaskLists&) const;                   \
  template Variable<T> Autoencoder::encode<T>(const Pass<T>&, int, const Variable<T>&) const;   \
  template Variable<T> Autoencoder::decode<T>(const Pass<T>&, int, const Variable<T>&,          \
                                              const MaskLists&) const;
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::model
