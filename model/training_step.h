// One epoch's loss and gradients: mask, forward through every scale, backward.
#pragma once

#include <vector>

#include "autograd/parameters.h"
#include "engine/communicator.h"
#include "engine/placement.h"
#include "model/autoencoder.h"
#include "model/config.h"
#include "model/masks.h"

namespace m2st::model {

struct StepLoss {
  double total = 0;  // the mean over scales
  std::vector<double> per_scale;
};

// Graph and features where kernels see them, and the graph on the host, where each epoch's live
// edges are picked from it. The host's arrays must outlive it.
template <class T>
class PlacedData {
 public:
  PlacedData(Context& context, const GraphView& graph, MatrixView<const T> features)
      : placement_(context),
        host_graph_(graph),
        graph_(placement_.place(graph)),
        features_(placement_.place(features)) {}

  const GraphView& host_graph() const { return host_graph_; }
  const GraphView& graph() const { return graph_; }
  MatrixView<const T> features() const { return features_; }

 private:
  Placement placement_;
  GraphView host_graph_;
  GraphView graph_;
  MatrixView<const T> features_;
};

// Leaves the gradients in `parameters`, summed over the processes of the communicator; values and
// moments stay. `epoch` keys the draws of dropout. Without masked nodes (rate 0, or too few nodes)
// the loss is over all of them.
template <class T>
StepLoss training_step(Context& context, const Communicator& communicator,
                       const Autoencoder& autoencoder, autograd::ParameterBlock<T>& parameters,
                       const PlacedData<T>& data, const MaskDraw& mask, const TrainConfig& train,
                       int epoch, Path path);
// The same from the host's graph and features, placed for this one step.
template <class T>
StepLoss training_step(Context& context, const Communicator& communicator,
                       const Autoencoder& autoencoder, autograd::ParameterBlock<T>& parameters,
                       const GraphView& graph, MatrixView<const T> features, const MaskDraw& mask,
                       const TrainConfig& train, int epoch, Path path);

// Hᵐ of all nodes for every scale, nothing masked or dropped, in host memory.
template <class T>
std::vector<Matrix<T>> embed(Context& context, const Autoencoder& autoencoder,
                             const autograd::ParameterBlock<T>& parameters,
                             const PlacedData<T>& data);

}  // namespace m2st::model
