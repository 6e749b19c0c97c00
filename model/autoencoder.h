// The masked multi-scale graph-attention autoencoder (notes of the method: docs/numerics.md).
//   x ─mask─▶ shared layer ─▶ h0 ─┬▶ encoder 0 ─▶ H¹ ─▶ linear ─▶ re-mask ─▶ decoder 0 ─▶ Z¹
//                                 └▶ encoder 1 ─▶ H² ─▶ linear ─▶ re-mask ─▶ decoder 1 ─▶ Z² ...
// The object is the architecture alone: which parameters there are and how they meet. Scale m
// (from 0) is hidden / 2^m wide. Parameter names are the golden values': shared.*,
// encoder0.layer0.*, enc_to_dec0.weight, decoder0.*, mask_token.
#pragma once

#include <cstdint>
#include <vector>

#include "autograd/ops.h"
#include "autograd/parameters.h"
#include "model/config.h"
#include "model/gat_layer.h"
#include "model/masks.h"

namespace m2st::model {

class Autoencoder {
 public:
  // width: columns of the features.
  Autoencoder(const AutoencoderConfig& config, std::int64_t width);

  const AutoencoderConfig& config() const { return config_; }
  const autograd::ParameterLayout& layout() const { return layout_; }
  std::int64_t width() const { return width_; }
  int scales() const { return config_.scales; }
  // Columns of scale m's embedding.
  std::int64_t code_width(int scale) const { return code_width(config_, scale); }
  static std::int64_t code_width(const AutoencoderConfig& config, int scale);
  // Columns of h0.
  static std::int64_t shared_width(const AutoencoderConfig& config, std::int64_t width);

  // A copy of the features with the mask's tokens and replacements in it.
  template <class T>
  autograd::Variable<T> masked_features(const Pass<T>& pass, MatrixView<const T> features,
                                        const MaskLists& mask) const;
  // h0; consumes x.
  template <class T>
  autograd::Variable<T> encode_shared(const Pass<T>& pass, const autograd::Variable<T>& x) const;
  // The two in one: h0 of the features with the mask in them.
  template <class T>
  autograd::Variable<T> encode_masked(const Pass<T>& pass, MatrixView<const T> features,
                                      const MaskLists& mask) const;
  // Hᵐ from h0.
  template <class T>
  autograd::Variable<T> encode(const Pass<T>& pass, int scale,
                               const autograd::Variable<T>& shared) const;
  // Zᵐ from Hᵐ, with the masked nodes' codes re-masked. May consume the codes.
  template <class T>
  autograd::Variable<T> decode(const Pass<T>& pass, int scale, const autograd::Variable<T>& codes,
                               const MaskLists& mask) const;

 private:
  template <class T>
  autograd::Variable<T> replaced_features(const Pass<T>& pass, MatrixView<const T> features,
                                          const MaskLists& mask) const;
  struct Scale {
    std::vector<GatLayer> encoder;
    std::vector<GatLayer> decoder;  // one
    int encoder_to_decoder = -1;
    int remask_token = -1;
  };

  template <class T>
  autograd::Variable<T> map_to_decoder(const Pass<T>& pass, const Scale& parts,
                                       const autograd::Variable<T>& codes) const;
  void add_encoders();
  void add_decoders();

  AutoencoderConfig config_;
  std::int64_t width_;
  autograd::ParameterLayout layout_;
  int mask_token_;
  std::vector<GatLayer> shared_;  // one
  std::vector<Scale> scales_;
  int layers_ = 0;  // so far: the next layer's random stream
};

}  // namespace m2st::model
