// The plan of training's memory: what the forward pass keeps for the backward, the gradients in
// flight where they are largest, the parameters. Counted as the ops in autograd keep it.
#include <algorithm>

#include "model/autoencoder.h"
#include "model/trainer.h"

namespace m2st::model {

namespace {

struct RowPlan {
  std::int64_t kept = 0;    // values of a node that wait for the backward
  std::int64_t widest = 0;  // of any layer's projection

  // One GAT layer: projection, attention's output, three scores a head, activation.
  void add_layer(const AutoencoderConfig& config, int heads, std::int64_t outputs,
                 bool activation) {
    const bool summed = config.head_merge == HeadMerge::kSum && heads > 1;
    const std::int64_t projection = summed ? heads * outputs : outputs;
    kept += 2 * projection + 3 * heads + (summed ? outputs : 0) + (activation ? outputs : 0);
    widest = std::max(widest, projection);
  }
};

}  // namespace

std::int64_t planned_training_bytes(std::int64_t nodes, std::int64_t edges, std::int64_t width,
                                    const AutoencoderConfig& config, bool recompute) {
  const std::int64_t shared = Autoencoder::shared_width(config, width);
  const bool keeps_dropped = config.feature_dropout > 0 && !recompute;
  RowPlan plan;
  plan.kept += width;  // the masked features
  plan.add_layer(config, config.heads, shared, config.shared_activation);
  std::int64_t of_scales = 0;
  for (int m = 0; m < config.scales; ++m) {
    RowPlan scale;
    const std::int64_t code = Autoencoder::code_width(config, m);
    if (keeps_dropped) scale.kept += shared;  // h0 after the scale's own dropout
    for (int layer = 0; layer < config.layers; ++layer) {
      scale.add_layer(config, config.heads, code, true);
    }
    if (config.encoder_to_decoder) scale.kept += code;
    scale.add_layer(config, config.decoder_heads, width, config.decoder_activation);
    plan.widest = std::max(plan.widest, scale.widest);
    // With recomputing a scale is gone before the next one comes.
    of_scales = recompute ? std::max(of_scales, scale.kept) : of_scales + scale.kept;
  }
  plan.kept += of_scales;
  // In the backward of the widest layer: gradients of its output, its projection and its input,
  // and those of its logits.
  const std::int64_t in_flight = 2 * plan.widest + shared * (recompute ? 2 : 1);
  const Autoencoder autoencoder(config, width);
  constexpr std::int64_t kBlocks = 4;  // values, gradients, two moments
  const std::int64_t floats = nodes * (plan.kept + in_flight) + edges * config.heads +
                              kBlocks * autoencoder.layout().block_size();
  // The graph, and its edges once more in the two parts that the ends of the network see.
  const std::int64_t offsets = 2 * (nodes + 1) * 8;
  const std::int64_t graph = 3 * offsets + 2 * edges * (4 + 4 + 8);
  return floats * static_cast<std::int64_t>(sizeof(float)) + graph;
}

}  // namespace m2st::model
