// Training: epochs of masked reconstruction over the whole graph, interruptible and resumable with
// identical results, then embeddings of all nodes with nothing masked or dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/graph/graph.h"
#include "engine/array.h"
#include "engine/context.h"
#include "model/config.h"

namespace m2st::model {

struct EpochReport {
  int epoch = 0;  // just finished, from 1
  int epochs = 0;
  double loss = 0;
  double seconds = 0;  // of this epoch
};

struct TrainHooks {
  // After every epoch; false stops as an interruption does (checkpoint, then Interrupted).
  std::function<bool(const EpochReport&)> progress;
  std::string checkpoint_path;  // empty: none is written
  std::string resume_path;      // empty: start afresh
  std::string data_hash;        // of inputs and graph; a checkpoint of other data is refused (10)
};

enum class TrainEnd { kAllEpochs, kPlateau, kInterrupted };

struct TrainResult {
  TrainEnd end = TrainEnd::kAllEpochs;
  std::vector<double> losses;             // one an epoch, evaluated before its step
  std::vector<double> losses_per_scale;   // (epochs × scales)
  std::vector<Matrix<float>> embeddings;  // per scale (N, d_m); empty when interrupted
  std::int64_t parameters = 0;
};

// features: (N, d) in the graph's node order. Exit codes: 9 when a loss is not finite (the epoch is
// named, nothing is embedded), 10 when the checkpoint does not fit, 6 out of memory.
TrainResult train_and_embed(Context& context, const data::Graph& graph,
                            MatrixView<const float> features, const AutoencoderConfig& autoencoder,
                            const TrainConfig& train, const TrainHooks& hooks);

// Embeddings from a checkpoint alone, without training.
std::vector<Matrix<float>> embed_from_checkpoint(Context& context, const data::Graph& graph,
                                                 MatrixView<const float> features,
                                                 const std::string& checkpoint_path);

}  // namespace m2st::model
