// One epoch's loss and gradients: mask, forward through every scale, backward.
#pragma once

#include <vector>

#include "autograd/parameters.h"
#include "engine/communicator.h"
#include "model/autoencoder.h"
#include "model/config.h"
#include "model/masks.h"

namespace m2st::model {

struct StepLoss {
  double total = 0;  // the mean over scales
  std::vector<double> per_scale;
};

// Leaves the gradients in `parameters`, summed over the processes of the communicator; values and
// moments stay. `epoch` keys the draws of dropout. Without masked nodes (rate 0, or too few nodes)
// the loss is over all of them.
template <class T>
StepLoss training_step(Context& context, const Communicator& communicator,
                       const Autoencoder& autoencoder, autograd::ParameterBlock<T>& parameters,
                       const GraphView& graph, MatrixView<const T> features, const MaskDraw& mask,
                       const TrainConfig& train, int epoch, Path path);

// Hᵐ of all nodes for every scale, nothing masked or dropped.
template <class T>
std::vector<Matrix<T>> embed(Context& context, const Autoencoder& autoencoder,
                             const autograd::ParameterBlock<T>& parameters, const GraphView& graph,
                             MatrixView<const T> features);

}  // namespace m2st::model
