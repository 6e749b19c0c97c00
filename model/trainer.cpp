#include "model/trainer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/blocks_passed_on.h"
#include "engine/copy.h"
#include "engine/trace.h"
#include "kernels/reduce.h"
#include "model/checkpoint.h"
#include "model/device_epochs.h"
#include "model/training_step.h"

namespace m2st::model {

namespace {

using autograd::ParameterBlock;

constexpr int kEpochsBetweenReports = 10;  // of a device

// A plateau: `patience` epochs in a row without a loss below (1 − tolerance) · the best before.
// A function of the losses alone, so that a resumed run stops where the uninterrupted one does.
bool on_plateau(const std::vector<double>& losses, const TrainConfig& train) {
  if (train.patience == 0 || losses.empty()) return false;
  double best = losses.front();
  int epochs_without_gain = 0;
  for (std::size_t epoch = 1; epoch < losses.size(); ++epoch) {
    if (losses[epoch] < best * (1 - train.plateau_tolerance)) {
      best = losses[epoch];
      epochs_without_gain = 0;
    } else {
      ++epochs_without_gain;
    }
  }
  return epochs_without_gain >= train.patience;
}

kernels::AdamOptions adam_options(const TrainConfig& train) {
  kernels::AdamOptions options;
  options.learning_rate = train.learning_rate;
  options.weight_decay = train.weight_decay;
  options.decoupled = train.decoupled_decay;
  return options;
}

std::vector<float> copy_of(Context& context, Span<const float> values) {
  std::vector<float> here(values.size());
  context.dispatch([&](auto& c) { copy_out<float>(c, values, here); });
  return here;
}

void restore(Context& context, const std::vector<float>& from, Span<float> to) {
  if (from.size() != to.size()) {
    fail(ExitCode::kCheckpoint, "checkpoint: it holds ", from.size(),
         " values, its own options describe ", to.size(), "; start afresh");
  }
  context.dispatch([&](auto& c) { copy_in<float>(c, from, to); });
}

// Embeddings of parameters that are not finite would be NaN all through.
std::vector<Matrix<float>> finite_embeddings(Context& context, const Autoencoder& autoencoder,
                                             const ParameterBlock<float>& parameters,
                                             const PlacedData<float>& data, std::int64_t epochs) {
  std::vector<Matrix<float>> embeddings = embed<float>(context, autoencoder, parameters, data);
  for (const Matrix<float>& embedding : embeddings) {
    if (!kernels::all_finite<float>(context.host(), embedding.span())) {
      fail(ExitCode::kNotConverged, "training: the embedding after epoch ", epochs,
           " is not finite; lower the learning rate");
    }
  }
  return embeddings;
}

Arithmetic arithmetic_of(Context& context) {
  return context.dispatch([](auto& backend) {
    if constexpr (requires { backend.cublas_lt(); }) {
      return backend.cublas_lt() != nullptr ? Arithmetic::kCublasLt : Arithmetic::kCuda;
    } else {
      return Arithmetic::kCpu;
    }
  });
}

class Training {
 public:
  Training(Context& context, const data::Graph& graph, MatrixView<const float> features,
           const AutoencoderConfig& autoencoder, const TrainConfig& train, const TrainHooks& hooks)
      : context_(context),
        data_(context, graph.view(), features),
        train_(train),
        hooks_(hooks),
        autoencoder_(autoencoder, features.cols),
        parameters_(context, autoencoder_.layout(), train.seed) {
    result_.parameters = autoencoder_.layout().parameter_count();
    if (!hooks.resume_path.empty()) resume(read_checkpoint(hooks.resume_path));
    context.dispatch([&](auto& c) {
      if constexpr (!std::is_same_v<std::decay_t<decltype(c)>, CpuContext>) {
        if (!can_run_on_device(train_, data_.host_graph().nodes())) return;
        on_device_ = epochs_on_device<float>(c, context_, autoencoder_, parameters_, data_, train_,
                                             adam_options(train_));
      }
    });
  }

  TrainResult run() {
    while (epochs_done() < train_.epochs && !on_plateau(result_.losses, train_)) {
      const bool go_on = run_epochs(epochs_at_once());
      const bool periodic =
          train_.checkpoint_every > 0 && epochs_done() % train_.checkpoint_every == 0;
      if (periodic || !go_on) save();
      if (!go_on) {
        result_.end = TrainEnd::kInterrupted;
        return std::move(result_);
      }
    }
    result_.end = epochs_done() < train_.epochs ? TrainEnd::kPlateau : TrainEnd::kAllEpochs;
    on_device_ = nullptr;  // and the memory of its epochs
    result_.embeddings =
        finite_embeddings(context_, autoencoder_, parameters_, data_, epochs_done());
    save();
    return std::move(result_);
  }

 private:
  std::int64_t epochs_done() const { return std::ssize(result_.losses); }

  // A device goes on by itself until the host has to look at a loss or to keep the parameters.
  int epochs_at_once() const {
    if (!on_device_ || train_.patience > 0) return 1;
    std::int64_t count =
        std::min<std::int64_t>(kEpochsBetweenReports, train_.epochs - epochs_done());
    if (train_.checkpoint_every > 0) {
      count = std::min(count, train_.checkpoint_every - epochs_done() % train_.checkpoint_every);
    }
    return static_cast<int>(count);
  }

  StepLoss host_epoch(int epoch) {
    const MaskDraw mask = draw_mask(train_.seed, static_cast<std::uint32_t>(epoch),
                                    train_.mask_rate, train_.replace_rate, data_.host_graph().ids);
    StepLoss loss = training_step<float>(context_, communicator_, autoencoder_, parameters_, data_,
                                         mask, train_, epoch, usual_path(context_));
    parameters_.adam_step(context_, adam_options(train_), epoch);
    return loss;
  }

  // False when the caller wants to stop.
  bool run_epochs(int count) {
    const double start = wall_seconds();
    const int first = static_cast<int>(epochs_done()) + 1;
    const std::vector<StepLoss> losses =
        on_device_ ? on_device_(first, count) : std::vector{host_epoch(first)};
    const double seconds = (wall_seconds() - start) / count;
    bool go_on = true;
    for (const StepLoss& loss : losses) {
      const int epoch = static_cast<int>(epochs_done()) + 1;
      if (!std::isfinite(loss.total)) {
        fail(ExitCode::kNotConverged, "training: the loss became ", loss.total, " in epoch ", epoch,
             " of ", train_.epochs, "; lower the learning rate (", train_.learning_rate,
             ") or look for extreme values in the features");
      }
      result_.losses.push_back(loss.total);
      result_.losses_per_scale.insert(result_.losses_per_scale.end(), loss.per_scale.begin(),
                                      loss.per_scale.end());
      if (go_on && hooks_.progress) {
        go_on = hooks_.progress({epoch, train_.epochs, loss.total, seconds});
      }
    }
    return go_on;
  }

  void save() {
    if (hooks_.checkpoint_path.empty()) return;
    context_.pool().trim();  // the epoch's blocks lie idle: let the copies take their place
    Checkpoint checkpoint;
    checkpoint.options = {autoencoder_.config(), train_, arithmetic_of(context_)};
    checkpoint.data_hash = hooks_.data_hash;
    checkpoint.width = data_.features().cols;
    checkpoint.epoch = epochs_done();
    checkpoint.losses = result_.losses;
    checkpoint.losses_per_scale = result_.losses_per_scale;
    checkpoint.values = copy_of(context_, parameters_.values());
    checkpoint.first_moments = copy_of(context_, parameters_.first_moments());
    checkpoint.second_moments = copy_of(context_, parameters_.second_moments());
    write_checkpoint(hooks_.checkpoint_path, checkpoint);
  }

  void resume(const Checkpoint& checkpoint) {
    const std::string difference =
        first_difference(checkpoint.options, {autoencoder_.config(), train_, {}});
    if (!difference.empty()) {
      fail(ExitCode::kCheckpoint, "checkpoint: ", hooks_.resume_path,
           " was made with other options (", difference, "); use the same ones or start afresh");
    }
    const Arithmetic there = checkpoint.options.arithmetic, here = arithmetic_of(context_);
    if (there != Arithmetic::kUnknown && there != here) {
      fail(ExitCode::kCheckpoint, "checkpoint: ", hooks_.resume_path, " was computed by ",
           to_string(there), ", this run would go on with ", to_string(here),
           ", and results of two are never mixed; choose as before by --device and "
           "--matmul-library, or start afresh");
    }
    if (checkpoint.data_hash != hooks_.data_hash || checkpoint.width != data_.features().cols) {
      fail(ExitCode::kCheckpoint, "checkpoint: ", hooks_.resume_path,
           " was made from other data or another graph (hash ", checkpoint.data_hash, ", here ",
           hooks_.data_hash, "); use the same input or start afresh");
    }
    if (checkpoint.epoch > train_.epochs) {
      fail(ExitCode::kCheckpoint, "checkpoint: ", hooks_.resume_path, " is at epoch ",
           checkpoint.epoch, ", this run ends at ", train_.epochs, "; ask for more epochs");
    }
    restore(context_, checkpoint.values, parameters_.values());
    restore(context_, checkpoint.first_moments, parameters_.first_moments());
    restore(context_, checkpoint.second_moments, parameters_.second_moments());
    result_.losses = checkpoint.losses;
    result_.losses_per_scale = checkpoint.losses_per_scale;
  }

  Context& context_;
  PlacedData<float> data_;
  TrainConfig train_;
  const TrainHooks& hooks_;
  Communicator communicator_;
  Autoencoder autoencoder_;
  ParameterBlock<float> parameters_;
  // Epochs first .. first + count − 1 without the host; unset where epochs are the host's.
  RunEpochs on_device_;
  TrainResult result_;
};

}  // namespace

TrainResult train_and_embed(Context& context, const data::Graph& graph,
                            MatrixView<const float> features, const AutoencoderConfig& autoencoder,
                            const TrainConfig& train, const TrainHooks& hooks) {
  validate(autoencoder, train, features.rows, features.cols);
  M2ST_CHECK(features.rows == graph.view().nodes(), "train: features have ", features.rows,
             " rows, the graph ", graph.view().nodes(), " nodes");
  const MatmulPrecisionScope precision(context, train.matmul_precision);
  const BlocksPassedOn passed_on(context, train.recompute);
  return Training(context, graph, features, autoencoder, train, hooks).run();
}

std::vector<Matrix<float>> embed_from_checkpoint(Context& context, const data::Graph& graph,
                                                 MatrixView<const float> features,
                                                 const std::string& checkpoint_path) {
  const Checkpoint checkpoint = read_checkpoint(checkpoint_path);
  if (checkpoint.width != features.cols) {
    fail(ExitCode::kCheckpoint, "checkpoint: ", checkpoint_path, " was made from ",
         checkpoint.width, " features a cell, there are ", features.cols, " here");
  }
  M2ST_CHECK(features.rows == graph.view().nodes(), "embed: features have ", features.rows,
             " rows, the graph ", graph.view().nodes(), " nodes");
  const Options& options = checkpoint.options;
  validate(options.autoencoder, options.train, features.rows, features.cols);
  const MatmulPrecisionScope precision(context, options.train.matmul_precision);
  const Autoencoder autoencoder(options.autoencoder, features.cols);
  ParameterBlock<float> parameters(context, autoencoder.layout(), options.train.seed);
  restore(context, checkpoint.values, parameters.values());
  return finite_embeddings(context, autoencoder, parameters,
                           PlacedData<float>(context, graph.view(), features), checkpoint.epoch);
}

}  // namespace m2st::model
