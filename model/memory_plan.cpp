// Where the host goes through an epoch step by step, the epoch op by op (epoch_memory.h). For an
// epoch that a device runs by itself, counted array by array as the ops in autograd take them from
// their lanes' pools: what the forward pass keeps for the backward, the gradients in flight where
// they are largest, and what an epoch without the host works on.
#include "model/memory_plan.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/product_cut.h"
#include "model/autoencoder.h"
#include "model/epoch_memory.h"
#include "model/lane_memory.h"
#include "model/masks.h"

namespace m2st::model {

namespace {

class GraphPlanner {
 public:
  GraphPlanner(const TrainingSize& size, const AutoencoderConfig& config, const TrainConfig& train,
               bool by_library)
      : n_(size.nodes),
        e_(size.edges),
        d_(size.width),
        masked_(masked_nodes(train.mask_rate, size.nodes)),
        shared_(Autoencoder::shared_width(config, size.width)),
        config_(config),
        train_(train),
        by_library_(by_library),
        // The context's own, and one a scale where the scales run side by side.
        lanes_(1 + static_cast<std::size_t>(config.scales)) {}

  std::int64_t total() {
    add_parameters();
    add_graph();
    add_data();
    use_lane_of(config_.scales - 1);  // which goes first
    add_shared_layer();
    for (int m = 0; m < config_.scales; ++m) {
      use_lane_of(m);
      add_encoder(m);
      add_decoder(m);
    }
    add_in_flight();
    std::int64_t sum = 0;
    for (const LaneMemory& lane : lanes_) sum += lane.bytes();
    return sum;
  }

 private:
  void add(std::int64_t values, std::int64_t bytes_each = sizeof(float)) {
    lanes_[lane_].add(values * bytes_each);
  }
  void add(int count, std::int64_t values, std::int64_t bytes_each) {
    for (int k = 0; k < count; ++k) add(values, bytes_each);
  }

  // An array of float32 that has gone before others come.
  void pass(std::int64_t values) {
    lanes_[lane_].pass(values * static_cast<std::int64_t>(sizeof(float)));
  }

  void use_lane_of(int scale) { lane_ = 1 + static_cast<std::size_t>(scale); }
  // What the products of a layer borrow; `outputs` of all heads.
  void borrow(std::int64_t rows, std::int64_t inputs, std::int64_t outputs, int heads = 1) {
    if (!by_library_) return;
    lanes_[lane_].borrow_for_layer(train_.matmul_precision, rows, inputs, outputs / heads, heads);
  }

  // What the next layer's products read of this many rows: in BF16 where products round to that
  // anyway, with the weight; float32 otherwise, in the memory of the float32 values.
  void add_kept_input(std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
    if (!kept_in_bfloat16(inputs, outputs)) {
      add(rows * inputs);
      borrow(rows, inputs, outputs);
    } else {
      pass(rows * inputs);
      lanes_[lane_].keep_for_layer(rows, inputs, outputs);
    }
  }
  bool kept_in_bfloat16(std::int64_t inputs, std::int64_t outputs) const {
    return train_.matmul_precision == MatmulPrecision::kMedium && by_library_ && inputs % 8 == 0 &&
           outputs % 8 == 0;
  }

  std::int64_t projection(int heads, std::int64_t outputs) const {
    return config_.head_merge == HeadMerge::kSum && heads > 1 ? heads * outputs : outputs;
  }
  int decoder_heads() const { return config_.decoder_heads; }
  bool drops() const { return config_.feature_dropout > 0; }
  // Whether the decoders see the unmasked rows alone.
  bool narrow() const { return config_.remask == Remask::kZero && masked_ > 0; }
  std::int64_t rows_decoded() const { return narrow() ? n_ - masked_ : n_; }

  void add_parameters() {
    constexpr int kBlocks = 4;  // values, gradients, two moments
    add(kBlocks, Autoencoder(config_, d_).layout().block_size(), sizeof(float));
  }

  // Both directions, and the edges once more in the two parts that the ends of the network see.
  void add_graph() {
    for (int part = 0; part < 3; ++part) {
      add(2, n_ + 1, sizeof(std::int64_t));
      add(2, e_, sizeof(std::int32_t));
      add(e_, sizeof(std::int64_t));
    }
  }

  // Features, the mask's lists, and what sorting its tickets takes.
  void add_data() {
    add(n_ * d_);
    add(6, n_, sizeof(std::int64_t));  // flags, tickets, keys twice, places, counts of edges
    add(4, n_, sizeof(std::int32_t));  // ids and rows by id, orders
    add(2, masked_, sizeof(std::int32_t));
    add(2, n_ - masked_, sizeof(std::int32_t));
  }

  // One GAT layer: projection, attention's output, scores both ways and their sums, activation.
  void add_layer(int heads, std::int64_t outputs, bool activation) {
    const std::int64_t wide = projection(heads, outputs);
    add(2, n_ * wide, sizeof(float));
    add(3, n_ * heads, sizeof(float));
    if (wide != outputs) add(n_ * outputs);
    if (activation) add(n_ * outputs);
  }

  void add_shared_layer() {
    add(n_ * d_);  // the masked features
    add_layer(config_.heads, shared_, config_.shared_activation);
    const std::int64_t wide = projection(config_.heads, shared_);
    borrow(n_, d_, wide, d_ < wide ? config_.heads : 1);  // summed before it is projected, or not
  }

  void add_encoder(int m) {
    const std::int64_t code = Autoencoder::code_width(config_, m);
    const std::int64_t wide = projection(config_.heads, code);
    // h0 after the scale's own dropout
    if (drops() || kept_in_bfloat16(shared_, wide)) {
      add_kept_input(n_, shared_, wide);
    } else {
      borrow(n_, shared_, wide);
    }
    for (int layer = 0; layer < config_.layers; ++layer) {
      const bool last = layer + 1 == config_.layers;
      add_layer(config_.heads, code, last && !narrow());
      if (!last) add_kept_input(n_, code, wide);  // the activation, dropped in place
    }
    if (narrow()) pass(n_ * code);  // only some rows are read on
    add_partial_products(code, shared_);
    add_partial_products(code, code);
    add_partial_products(projection(decoder_heads(), d_), code);
  }

  void add_decoder(int m) {
    const std::int64_t code = Autoencoder::code_width(config_, m);
    const std::int64_t wide = projection(decoder_heads(), d_);
    if (narrow()) add(rows_decoded() * code);
    if (config_.encoder_to_decoder) borrow(rows_decoded(), code, code);
    const bool sums_first = narrow() && decoder_heads() == 1 && code < wide;
    if (sums_first || !config_.encoder_to_decoder) {
      if (config_.encoder_to_decoder) add(rows_decoded() * code);
      borrow(sums_first ? masked_ : rows_decoded(), code, wide);
    } else {
      add_kept_input(rows_decoded(), code, wide);
    }
    if (narrow()) pass((sums_first ? masked_ : rows_decoded()) * wide);
    add_layer(decoder_heads(), d_, config_.decoder_activation);
    add_scale_in_flight(code, wide);
  }

  // The gradients that one scale's backward begins with; later ones lie where values were.
  void add_scale_in_flight(std::int64_t code, std::int64_t wide) {
    add(2, n_ * wide, sizeof(float));
    if (narrow()) add(rows_decoded() * wide);
    add(rows_decoded() * code);
    add(2, n_ * projection(config_.heads, code), sizeof(float));
    add(n_ * shared_);
    add_scores_in_flight();
  }

  void add_scores_in_flight() {
    add(e_ * config_.heads);
    add(e_ * decoder_heads());
    add(3, n_ * config_.heads, sizeof(float));
    add(3, n_ * decoder_heads(), sizeof(float));
  }

  void add_in_flight() {
    add_partial_products(shared_, d_);
    add(e_ * config_.heads);
    add(2, n_ * d_, sizeof(float));  // the token's factors and its terms
  }

  // Of a weight's gradient, a sum over the nodes that a device takes in slices.
  void add_partial_products(std::int64_t rows, std::int64_t cols) {
    if (by_library_ && fill_library_tiles(rows, cols, n_)) return;
    const std::int64_t slices = kernels::wanted_slices(1, rows, cols, n_);
    if (slices > 1) add(slices * rows * cols);
  }

  std::int64_t n_, e_, d_;
  std::int64_t masked_;
  std::int64_t shared_;
  const AutoencoderConfig& config_;
  const TrainConfig& train_;
  bool by_library_;
  std::vector<LaneMemory> lanes_;
  std::size_t lane_ = 0;
};

std::int64_t parameter_bytes(const TrainingSize& size, const AutoencoderConfig& config) {
  return Autoencoder(config, size.width).layout().block_size() *
         static_cast<std::int64_t>(sizeof(float));
}

std::int64_t list_bytes(std::int64_t nodes, std::int64_t edges) {
  constexpr std::int64_t kOfNode = 2 * sizeof(std::int64_t);
  constexpr std::int64_t kOfEdge = 2 * sizeof(std::int32_t) + sizeof(std::int64_t);
  return (nodes + 1) * kOfNode + edges * kOfEdge;
}

// Beside the epochs' pool: parameters (values, gradients, two moments), and the edges in the two
// parts that the ends of the network see, both directions.
std::int64_t bytes_beside_epochs(const TrainingSize& size, const AutoencoderConfig& config) {
  constexpr std::int64_t kBlocks = 4, kParts = 2;
  return kBlocks * parameter_bytes(size, config) + kParts * list_bytes(size.nodes, size.edges);
}

// What a device has beside them: the graph and the features; of the two parts only their own edges,
// for the host makes them; the mask's lists.
std::int64_t device_bytes_beside_steps(const TrainingSize& size, const AutoencoderConfig& config) {
  constexpr std::int64_t kLists = 6;
  return bytes_beside_epochs(size, config) + list_bytes(size.nodes, 0) +
         size.nodes * (size.width * static_cast<std::int64_t>(sizeof(float)) +
                       kLists * static_cast<std::int64_t>(sizeof(std::int32_t)));
}

// A checkpoint's copies of values and moments, for which the pool was cleared, and the embeddings,
// which are there when the last one is written.
std::int64_t bytes_of_saving(const TrainingSize& size, const AutoencoderConfig& config) {
  constexpr std::int64_t kBlocks = 3;
  std::int64_t columns = 0;
  for (int m = 0; m < config.scales; ++m) columns += Autoencoder::code_width(config, m);
  return kBlocks * parameter_bytes(size, config) +
         size.nodes * columns * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

std::int64_t planned_training_bytes(const TrainingSize& size, const AutoencoderConfig& autoencoder,
                                    const TrainConfig& train, PlanFor where) {
  if (where == PlanFor::kHost) {
    return bytes_beside_epochs(size, autoencoder) +
           std::max(host_epoch_bytes(size, autoencoder, train), bytes_of_saving(size, autoencoder));
  }
  if (train.recompute) {
    return device_bytes_beside_steps(size, autoencoder) +
           device_step_bytes(size, autoencoder, train, where);
  }
  return GraphPlanner(size, autoencoder, train, where == PlanFor::kDeviceAndLibrary).total();
}

}  // namespace m2st::model
