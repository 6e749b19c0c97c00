#include "model/config.h"

#include <cmath>

#include "engine/check.h"

namespace m2st::model {

namespace {

void require(bool condition, ExitCode code, const std::string& message) {
  if (!condition) fail(code, message);
}

void validate_ranges(const AutoencoderConfig& a) {
  const auto usage = ExitCode::kUsage;
  require(a.scales >= 1 && a.scales <= 16, usage,
          concat("scales: ", a.scales, " is not between 1 and 16"));
  require(a.hidden >= 1, usage, concat("hidden: ", a.hidden, " is not positive"));
  require(a.heads >= 1, usage, concat("heads: ", a.heads, " is not positive"));
  require(a.layers >= 1, usage, concat("layers: ", a.layers, " is not positive"));
  require(a.decoder_heads >= 1, usage,
          concat("decoder_heads: ", a.decoder_heads, " is not positive"));
  require(a.shared_width >= 0, usage, concat("shared_width: ", a.shared_width, " is negative"));
  require(std::isfinite(a.leaky_slope), usage, "leaky_slope: is not finite");
  for (const double rate : {a.feature_dropout, a.attention_dropout}) {
    require(rate >= 0 && rate < 1, usage, concat("dropout: ", rate, " is not in [0, 1)"));
  }
}

void validate_ranges(const TrainConfig& t) {
  const auto usage = ExitCode::kUsage;
  require(t.epochs >= 0, usage, concat("epochs: ", t.epochs, " is negative"));
  require(t.mask_rate >= 0 && t.mask_rate <= 1, usage,
          concat("mask_rate: ", t.mask_rate, " is not in [0, 1]"));
  require(t.replace_rate >= 0 && t.replace_rate <= 1, usage,
          concat("replace_rate: ", t.replace_rate, " is not in [0, 1]"));
  require(t.gamma >= 1 && std::isfinite(t.gamma), usage,
          concat("gamma: ", t.gamma, " is below 1 (eq. 10 needs at least 1)"));
  require(t.learning_rate > 0 && std::isfinite(t.learning_rate), usage,
          concat("lr: ", t.learning_rate, " is not positive"));
  require(t.weight_decay >= 0 && std::isfinite(t.weight_decay), usage,
          concat("weight_decay: ", t.weight_decay, " is negative"));
  require(t.patience >= 0 && t.checkpoint_every >= 0, usage,
          "patience and checkpoint_every: must not be negative");
  require(t.plateau_tolerance >= 0, usage, "plateau_tolerance: must not be negative");
}

void validate_widths(const AutoencoderConfig& a, std::int64_t width) {
  const auto impossible = ExitCode::kParameterImpossible;
  const bool concatenated = a.head_merge == HeadMerge::kConcatenate;
  const std::int64_t unit = (std::int64_t{1} << (a.scales - 1)) * (concatenated ? a.heads : 1);
  require(a.hidden % unit == 0, impossible,
          concat("hidden: ", a.hidden, " cannot be halved for ", a.scales, " scales of ", a.heads,
                 " heads; use a multiple of ", unit));
  require(!concatenated || width % a.decoder_heads == 0, impossible,
          concat("decoder_heads: ", a.decoder_heads, " heads side by side cannot make ", width,
                 " features; use a divisor of ", width, " or heads = sum"));
}

}  // namespace

void apply_compatibility(const std::string& name, AutoencoderConfig& autoencoder,
                         TrainConfig& train) {
  if (name == "reference") {
    const AutoencoderConfig defaults;
    const int scales = autoencoder.scales;
    const int hidden = autoencoder.hidden;
    autoencoder = defaults;
    autoencoder.scales = scales;
    autoencoder.hidden = hidden;
    train.mask_rate = 0.5;
    train.replace_rate = 0.0;
    return;
  }
  if (name != "paper") {
    fail(ExitCode::kUsage, "compat: \"", name, "\" is neither \"paper\" nor \"reference\"");
  }
  autoencoder.leaky_slope = 0.01;
  autoencoder.head_merge = HeadMerge::kSum;
  autoencoder.shared_activation = true;
  autoencoder.decoder_activation = true;
  autoencoder.layers = 1;
  autoencoder.decoder_heads = autoencoder.heads;
  autoencoder.encoder_to_decoder = false;
  autoencoder.remask = Remask::kLearnable;
  autoencoder.bias = false;
  autoencoder.feature_dropout = 0.0;
  autoencoder.attention_dropout = 0.0;
  train.replace_rate = 0.0;
}

void validate(const AutoencoderConfig& autoencoder, const TrainConfig& train, std::int64_t nodes,
              std::int64_t width) {
  validate_ranges(autoencoder);
  validate_ranges(train);
  if (nodes < 1) fail(ExitCode::kInputInvalid, "features: there are no cells");
  if (width < 1) fail(ExitCode::kInputInvalid, "features: there are no columns");
  validate_widths(autoencoder, width);
}

}  // namespace m2st::model
