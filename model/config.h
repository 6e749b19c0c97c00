// Everything that defines the autoencoder and its training. Defaults are the reference code's
// (notes in docs/numerics.md); the paper's variants are options of the same names as its table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/matmul_precision.h"

namespace m2st::model {

enum class HeadMerge { kConcatenate, kSum };
enum class Remask { kZero, kLearnable };
enum class LossKind { kScaledCosine, kMse };

struct AutoencoderConfig {
  int scales = 2;    // M >= 1; scale m is hidden / 2^(m-1) wide
  int hidden = 256;  // width of scale 1, divisible by heads · 2^(scales-1)
  int heads = 4;
  int layers = 3;        // GAT layers per scale's encoder
  int shared_width = 0;  // per head; 0: the input's width d (shared layer is then 4·d wide)
  int decoder_heads = 1;
  double leaky_slope = 0.2;
  HeadMerge head_merge = HeadMerge::kConcatenate;
  bool shared_activation = false;   // PReLU after the shared layer
  bool decoder_activation = false;  // PReLU after the decoders
  bool encoder_to_decoder = true;   // linear map without bias between them
  bool bias = true;
  Remask remask = Remask::kZero;
  double feature_dropout = 0.2;
  double attention_dropout = 0.1;
};

struct TrainConfig {
  int epochs = 200;
  double mask_rate = 0.5;     // exactly floor(rate · N) nodes
  double replace_rate = 0.0;  // share of the masked that get another node's features
  double gamma = 2.0;
  LossKind loss = LossKind::kScaledCosine;
  double learning_rate = 0.005;
  double weight_decay = 5e-4;
  bool decoupled_decay = false;  // AdamW
  std::uint64_t seed = 0;
  int patience = 0;  // epochs without a relative gain of plateau_tolerance; 0: never stop
  double plateau_tolerance = 1e-4;
  int checkpoint_every = 0;  // epochs; 0: only when interrupted
  MatmulPrecision matmul_precision = MatmulPrecision::kHighest;
  bool recompute = false;  // less memory for some time; the results are the same bytes
};

// All options of the paper's or the code's column (notes/method.md §3): "paper" or "reference".
void apply_compatibility(const std::string& name, AutoencoderConfig& autoencoder,
                         TrainConfig& train);

// Exit code 2 or 5 with the reason when options contradict each other or the data's size.
void validate(const AutoencoderConfig& autoencoder, const TrainConfig& train, std::int64_t nodes,
              std::int64_t width);

}  // namespace m2st::model
