// The network of autoencoder.cpp, gat_layer.cpp and training_step.cpp op by op on a tape that only
// counts: on the fused path for the host, on the aggregated one for devices.
#include "model/epoch_memory.h"

#include "model/autoencoder.h"
#include "model/masks.h"
#include "model/memory_tape.h"

namespace m2st::model {

namespace {

using Variable = MemoryTape::Variable;

class Epoch {
 public:
  Epoch(const TrainingSize& size, const AutoencoderConfig& config, const TrainConfig& train,
        PlanFor where, BlockCounts& counts)
      : size_(size),
        config_(config),
        train_(train),
        masked_(masked_nodes(train.mask_rate, size.nodes)),
        replaced_(static_cast<std::int64_t>(train.replace_rate * static_cast<double>(masked_))),
        where_(where),
        tape_(counts, where, train.matmul_precision) {}

  void run() {
    lose_all();
    tape_.walk_back_to(0);
  }

 private:
  bool drops() const { return config_.feature_dropout > 0; }
  bool summed(int heads) const { return config_.head_merge == HeadMerge::kSum && heads > 1; }
  bool in_bfloat16(std::int64_t inputs, std::int64_t outputs) const {
    return train_.matmul_precision == MatmulPrecision::kMedium && where_ != PlanFor::kDevice &&
           inputs % 8 == 0 && outputs % 8 == 0;
  }
  // GatLayer::sums_first; `outputs` of all heads.
  bool sums_first(std::int64_t inputs, std::int64_t outputs) const {
    return where_ != PlanFor::kHost && inputs < outputs;
  }
  // Of all edges, those into so many nodes.
  std::int64_t edges_into(std::int64_t nodes) const {
    return size_.nodes == 0 || masked_ == 0 ? size_.edges : size_.edges * nodes / size_.nodes;
  }

  Variable dropped_in_place(const Variable& x) {
    return drops() ? tape_.in_place(x, x->needs_gradient) : x;
  }

  // GatLayer::project.
  Variable project(const Variable& x, bool kept, std::int64_t outputs) {
    if (kept && train_.recompute && drops()) return tape_.linear_of_dropped(x, outputs);
    if (in_bfloat16(x->cols, outputs)) return tape_.linear_in_bfloat16(x, !kept, outputs);
    return tape_.linear(kept && drops() ? tape_.dropout(x)
                        : kept          ? x
                                        : dropped_in_place(x),
                        outputs);
  }

  Variable attend(const Variable& projected, int heads, std::int64_t edges, bool activation) {
    return merge(tape_.attend(projected, heads, edges), heads, activation);
  }

  Variable merge(Variable out, int heads, bool activation) {
    if (summed(heads)) {
      out = tape_.sum_heads(out, heads);
      if (config_.bias) out = tape_.in_place(out, true);
    }
    return activation ? tape_.prelu(out) : out;
  }

  std::int64_t projection(int heads, std::int64_t outputs) const {
    return summed(heads) ? heads * outputs : outputs;
  }

  Variable encode_shared() {
    const std::int64_t width = Autoencoder::shared_width(config_, size_.width);
    const std::int64_t outputs = projection(config_.heads, width);
    Variable x = tape_.result(size_.nodes, size_.width, false);
    tape_.floats(replaced_ * size_.width);  // the donors' features
    const std::int64_t tokens = masked_ - replaced_;
    if (sums_first(size_.width, outputs)) {
      x = tape_.sum_features(tape_.in_place(x, false), config_.heads, tokens, size_.edges);
      return merge(tape_.project_heads(x, config_.heads, outputs), config_.heads,
                   config_.shared_activation);
    }
    if (tokens > 0) {
      x = tape_.linear_of_tokens(tape_.in_place(x, false), tokens, outputs);
    } else {
      x = project(x, false, outputs);
    }
    return attend(x, config_.heads, size_.edges, config_.shared_activation);
  }

  Variable encode(int scale, const Variable& shared) {
    const std::int64_t code = Autoencoder::code_width(config_, scale);
    Variable codes = shared;
    for (int layer = 0; layer < config_.layers; ++layer) {
      const bool last = layer + 1 == config_.layers;
      codes = attend(project(codes, layer == 0, projection(config_.heads, code)), config_.heads,
                     last ? edges_into(size_.nodes - masked_) : size_.edges, true);
    }
    return codes;
  }

  Variable decode(const Variable& codes) {
    const bool narrow = config_.remask == Remask::kZero && masked_ > 0;
    Variable x = codes;
    if (narrow) {
      x = tape_.gather_rows(codes, size_.nodes - masked_);
      codes->value.reset();
    }
    if (config_.encoder_to_decoder) x = tape_.linear(x, x->cols);
    if (!narrow && masked_ > 0) x = tape_.in_place(x, true);
    const std::int64_t outputs = projection(config_.decoder_heads, size_.width);
    if (narrow && config_.decoder_heads == 1 && sums_first(x->cols, outputs)) {
      return sum_rows(x, outputs);
    }
    x = project(x, false, outputs);
    if (narrow) x = tape_.spread_rows(x, size_.nodes);
    return attend(x, config_.decoder_heads, edges_into(masked_), config_.decoder_activation);
  }

  // GatLayer::sum_rows.
  Variable sum_rows(const Variable& x, std::int64_t outputs) {
    const Variable spread = tape_.spread_rows(dropped_in_place(x), size_.nodes);
    const Variable sums = tape_.attend(spread, 1, edges_into(masked_));
    const Variable out = tape_.project_heads(tape_.gather_rows(sums, masked_), 1, outputs);
    return merge(tape_.spread_rows(out, size_.nodes), 1, config_.decoder_activation);
  }

  // losses_of_scales: no handle to a value leaves it.
  void lose_all() {
    const Variable shared = encode_shared();
    const std::size_t below = tape_.length();
    for (int i = 0; i < config_.scales; ++i) {
      const int scale = train_.recompute ? config_.scales - 1 - i : i;
      tape_.loss(decode(encode(scale, shared)));
      if (train_.recompute) tape_.walk_back_to(below);
    }
  }

  const TrainingSize& size_;
  const AutoencoderConfig& config_;
  const TrainConfig& train_;
  std::int64_t masked_, replaced_;
  PlanFor where_;
  MemoryTape tape_;
};

}  // namespace

std::int64_t host_epoch_bytes(const TrainingSize& size, const AutoencoderConfig& config,
                              const TrainConfig& train) {
  BlockCounts counts;
  Epoch(size, config, train, PlanFor::kHost, counts).run();
  return counts.touched_bytes();
}

std::int64_t device_step_bytes(const TrainingSize& size, const AutoencoderConfig& config,
                               const TrainConfig& train, PlanFor where) {
  BlockCounts counts;
  Epoch(size, config, train, where, counts).run();
  return counts.peak_bytes();
}

}  // namespace m2st::model
