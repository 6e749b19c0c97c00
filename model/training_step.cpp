#include "model/training_step.h"

#include <numeric>
#include <optional>

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
                           const Variable<T>& reconstruction) {
  return train.loss == LossKind::kMse
             ? autograd::mse_loss(pass.tape, rows, features, reconstruction)
             : autograd::scaled_cosine_loss(pass.tape, rows, train.gamma, features, reconstruction);
}

// No handle to a value leaves this function, so that the backward can free them as it goes. With
// `recompute` the scales are walked back one by one, in the order the whole backward would have:
// what only one scale needs is never held together with another's.
template <class T>
std::vector<Scalar> losses_of_scales(const Pass<T>& pass, const Autoencoder& autoencoder,
                                     const TrainConfig& train, MatrixView<const T> features,
                                     const MaskLists& mask, Span<const std::int32_t> rows,
                                     double share) {
  const Variable<T> shared = autoencoder.encode_masked(pass, features, mask);
  const std::size_t below = pass.tape.length();
  const int scales = autoencoder.scales();
  std::vector<Scalar> losses(static_cast<std::size_t>(scales));
  for (int i = 0; i < scales; ++i) {
    const int scale = pass.recompute ? scales - 1 - i : i;
    Scalar& loss = losses[static_cast<std::size_t>(scale)];
    {
      const Variable<T> reconstruction =
          autoencoder.decode<T>(pass, scale, autoencoder.encode(pass, scale, shared), mask);
      loss = reconstruction_loss(pass, train, rows, features, reconstruction);
    }
    if (pass.recompute) pass.tape.backward_to(below, loss, 1.0 / scales * share);
  }
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
  const bool narrow = path == Path::kFused && !mask.masked.empty();
  if (narrow) {
    live = {placement.place(codes.emplace(data.host_graph(), mask.kept).view()),
            placement.place(outputs.emplace(data.host_graph(), mask.masked).view())};
  }
  Tape<T> tape(context, Tape<T>::Mode::kRecord);
  const Pass<T> pass{tape,           parameters,
                     data.graph(),   true,
                     train.seed,     static_cast<std::uint32_t>(epoch),
                     path,           narrow ? &live : nullptr,
                     train.recompute};
  parameters.forget_gradients();
  const std::vector<Scalar> losses =
      losses_of_scales<T>(pass, autoencoder, train, data.features(), placed(placement, mask),
                          placement.place(Span<const std::int32_t>(rows)), share);
  const Scalar total = autograd::mean(tape, losses);
  tape.backward(total, share);
  parameters.clear_unwritten_gradients(context);
  communicator.sum(parameters.gradients());

  std::vector<double> values{share * total.value()};
  for (const Scalar& loss : losses) values.push_back(share * loss.value());
  communicator.sum(Span<double>(values));
  return {values.front(), {values.begin() + 1, values.end()}};
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
  const Pass<T> pass{tape, parameters, data.graph(), false, 0, 0, Path::kFused};
  const Variable<T> shared =
      autoencoder.encode_shared(pass, Variable<T>::constant(data.features()));
  std::vector<Matrix<T>> codes;
  for (int scale = 0; scale < autoencoder.scales(); ++scale) {
    codes.push_back(brought_to_host(context, autoencoder.encode(pass, scale, shared).take_value()));
  }
  return codes;
}

#define INSTANTIATE(T)                                                                        \
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
