#include "model/training_step.h"

#include <numeric>
#include <optional>
#include <utility>

namespace m2st::model {

using autograd::Scalar;
using autograd::Tape;
using autograd::Variable;

namespace {

// The share of the loss's rows that are this process's: its part of the mean over all of them.
double share_of_rows(const Communicator& communicator, std::size_t rows) {
  double total = static_cast<double>(rows);
  communicator.sum(Span<double>(&total, 1));
  return total > 0 ? static_cast<double>(rows) / total : 0.0;
}

template <class T>
Scalar reconstruction_loss(const Pass<T>& pass, const TrainConfig& train,
                           Span<const std::int32_t> rows, MatrixView<const T> features,
                           const Variable<T>& reconstruction, Span<double> kept) {
  return train.loss == LossKind::kMse
             ? autograd::mse_loss(pass.tape, rows, features, reconstruction, kept)
             : autograd::scaled_cosine_loss(pass.tape, rows, train.gamma, features, reconstruction,
                                            kept);
}

// One scale's way back to h0. On a lane of its own it waits for the lane before, which writes h0's
// gradient first, not sooner than it adds to that itself: the scale's first op is the one that
// reads h0.
template <class T>
void walk_back(const Pass<T>& pass, std::size_t below, const Scalar& loss, double weight,
               int position, const SideBySide* beside) {
  if (beside != nullptr && position > 0) {
    pass.tape.backward_to(below + 1, loss, weight);
    beside->wait(position);
    weight = 0;
  }
  pass.tape.backward_to(below, loss, weight);
}

// No handle to a value leaves this function, so that the backward can free them as it goes. With
// `recompute`, and side by side, the scales are walked back one by one, in the order the whole
// backward would have; with `recompute` so that what only one scale needs is never held together
// with another's.
template <class T>
std::vector<Scalar> losses_of_scales(const Pass<T>& pass, const Autoencoder& autoencoder,
                                     const TrainConfig& train, MatrixView<const T> features,
                                     const EpochLists& lists, double share, Span<double> kept,
                                     const SideBySide* beside) {
  const Variable<T> shared = autoencoder.encode_masked(pass, features, lists.mask);
  const std::size_t below = pass.tape.length();
  const int scales = autoencoder.scales();
  const bool one_by_one = pass.recompute || beside != nullptr;
  std::vector<Scalar> losses(static_cast<std::size_t>(scales));
  if (beside != nullptr) beside->fork();
  for (int i = 0; i < scales; ++i) {
    const int scale = one_by_one ? scales - 1 - i : i;
    const auto at = static_cast<std::size_t>(scale);
    const auto walk = [&] {
      {
        const Variable<T> reconstruction =
            autoencoder.decode<T>(pass, scale, autoencoder.encode(pass, scale, shared), lists.mask);
        losses[at] = reconstruction_loss(pass, train, lists.rows, features, reconstruction,
                                         kept.empty() ? kept : kept.subspan(at, 1));
      }
      if (one_by_one) walk_back(pass, below, losses[at], 1.0 / scales * share, i, beside);
    };
    if (beside != nullptr) {
      beside->run(i, walk);
    } else {
      walk();
    }
  }
  if (beside != nullptr) beside->join();
  return losses;
}

MaskLists placed(Placement& placement, const MaskLists& host) {
  MaskLists lists = host;
  for (Span<const std::int32_t>* list :
       {&lists.masked, &lists.tokens, &lists.replaced, &lists.donors, &lists.token_ids,
        &lists.others, &lists.kept, &lists.kept_ids}) {
    *list = placement.place(*list);
  }
  return lists;
}

}  // namespace

Path usual_path(const Context& context) {
  return context.on_host() ? Path::kFused : Path::kAggregated;
}

template <class T>
std::vector<Scalar> gradients_of_epoch(const Pass<T>& pass, autograd::ParameterBlock<T>& parameters,
                                       const Autoencoder& autoencoder, const TrainConfig& train,
                                       MatrixView<const T> features, const EpochLists& lists,
                                       double share, Span<double> kept, const SideBySide* beside) {
  parameters.forget_gradients();
  std::vector<Scalar> losses =
      losses_of_scales<T>(pass, autoencoder, train, features, lists, share, kept, beside);
  pass.tape.backward(autograd::mean(pass.tape, losses), share);
  parameters.clear_unwritten_gradients(pass.tape.context());
  return losses;
}

StepLoss step_loss(std::vector<double> per_scale) {
  double sum = 0;
  for (const double loss : per_scale) sum += loss;
  return {sum * (1.0 / static_cast<double>(per_scale.size())), std::move(per_scale)};
}

template <class T>
StepLoss training_step(Context& context, const Communicator& communicator,
                       const Autoencoder& autoencoder, autograd::ParameterBlock<T>& parameters,
                       const PlacedData<T>& data, const MaskDraw& mask, const TrainConfig& train,
                       int epoch, Path path) {
  std::vector<std::int32_t> rows = mask.masked;
  if (rows.empty()) {
    rows.resize(static_cast<std::size_t>(data.features().rows));
    std::iota(rows.begin(), rows.end(), 0);
  }
  const double share = share_of_rows(communicator, rows.size());
  Placement placement(context);
  std::optional<EdgesInto> codes, outputs;
  LiveEdges live;
  const bool narrow = path != Path::kPlain && !mask.masked.empty();
  if (narrow) {
    // Codes that are re-masked with zeros give their edges nothing but a place in the softmax.
    const bool zeros = autoencoder.config().remask == Remask::kZero;
    codes.emplace(data.host_graph(), mask.kept, Span<const std::int32_t>());
    outputs.emplace(data.host_graph(), mask.masked,
                    zeros ? Span<const std::int32_t>(mask.masked) : Span<const std::int32_t>());
    live = {placement.place(codes->view()), placement.place(outputs->view()),
            placement.place(outputs->silent())};
  }
  Tape<T> tape(context, Tape<T>::Mode::kRecord);
  const Pass<T> pass{tape,           parameters,
                     data.graph(),   true,
                     train.seed,     static_cast<std::uint32_t>(epoch),
                     path,           narrow ? &live : nullptr,
                     train.recompute};
  const EpochLists lists{placed(placement, mask), placement.place(Span<const std::int32_t>(rows))};
  const std::vector<Scalar> losses = gradients_of_epoch<T>(
      pass, parameters, autoencoder, train, data.features(), lists, share, {}, nullptr);
  communicator.sum(parameters.gradients());

  std::vector<double> values;
  for (const Scalar& loss : losses) values.push_back(share * loss.value());
  communicator.sum(Span<double>(values));
  return step_loss(std::move(values));
}

template <class T>
StepLoss training_step(Context& context, const Communicator& communicator,
                       const Autoencoder& autoencoder, autograd::ParameterBlock<T>& parameters,
                       const GraphView& graph, MatrixView<const T> features, const MaskDraw& mask,
                       const TrainConfig& train, int epoch, Path path) {
  const PlacedData<T> data(context, graph, features);
  return training_step<T>(context, communicator, autoencoder, parameters, data, mask, train, epoch,
                          path);
}

template <class T>
std::vector<Matrix<T>> embed(Context& context, const Autoencoder& autoencoder,
                             const autograd::ParameterBlock<T>& parameters,
                             const PlacedData<T>& data) {
  Tape<T> tape(context, Tape<T>::Mode::kForwardOnly);
  const Pass<T> pass{tape, parameters, data.graph(), false, 0, 0, usual_path(context)};
  const Variable<T> shared =
      autoencoder.encode_shared(pass, Variable<T>::constant(data.features()));
  std::vector<Matrix<T>> codes;
  for (int scale = 0; scale < autoencoder.scales(); ++scale) {
    codes.push_back(brought_to_host(context, autoencoder.encode(pass, scale, shared).take_value()));
  }
  return codes;
}

#define INSTANTIATE(T)                                                                        \
  template std::vector<Scalar> gradients_of_epoch<T>(                                         \
      const Pass<T>&, autograd::ParameterBlock<T>&, const Autoencoder&, const TrainConfig&,   \
      MatrixView<const T>, const EpochLists&, double, Span<double>, const SideBySide*);       \
  template StepLoss training_step<T>(                                                         \
      Context&, const Communicator&, const Autoencoder&, autograd::ParameterBlock<T>&,        \
      const GraphView&, MatrixView<const T>, const MaskDraw&, const TrainConfig&, int, Path); \
  template StepLoss training_step<T>(Context&, const Communicator&, const Autoencoder&,       \
                                     autograd::ParameterBlock<T>&, const PlacedData<T>&,      \
                                     const MaskDraw&, const TrainConfig&, int, Path);         \
  template std::vector<Matrix<T>> embed<T>(                                                   \
      Context&, const Autoencoder&, const autograd::ParameterBlock<T>&, const PlacedData<T>&);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::model
