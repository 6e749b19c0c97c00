// One epoch's loss and gradients: mask, forward through every scale, backward.
#pragma once

#include <functional>
#include <vector>

#include "autograd/parameters.h"
#include "engine/communicator.h"
#include "engine/placement.h"
#include "model/autoencoder.h"
#include "model/config.h"
#include "model/masks.h"

namespace m2st::model {

// The path that training and embedding take: the order that is faster on the CPU (measured) and on
// a device (by its traffic): docs/kernels.md, section 7.
Path usual_path(const Context& context);

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

// How a device walks the scales side by side, the k-th of the walk on its lane k. On the host, and
// without it, they are walked one after the other. The results are the same bytes.
struct SideBySide {
  std::function<void()> fork;  // every lane goes on from where lane 0 is
  std::function<void(int k, const std::function<void()>& work)> run;
  std::function<void(int k)> wait;  // lane k for what lane k − 1 has to do
  std::function<void()> join;       // lane 0 for all
};

// What an epoch works on, as kernels see it.
struct EpochLists {
  MaskLists mask;
  Span<const std::int32_t> rows;  // of the loss
};

// The gradients of one epoch into `parameters`: a forward through every scale and the backward, on
// an empty tape. `kept`: a number a scale, where the losses go without waiting for a device; empty:
// they are in the Scalars.
template <class T>
std::vector<autograd::Scalar> gradients_of_epoch(
    const Pass<T>& pass, autograd::ParameterBlock<T>& parameters, const Autoencoder& autoencoder,
    const TrainConfig& train, MatrixView<const T> features, const EpochLists& lists, double share,
    Span<double> kept, const SideBySide* beside);

// The mean over scales beside the losses themselves.
StepLoss step_loss(std::vector<double> per_scale);

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
