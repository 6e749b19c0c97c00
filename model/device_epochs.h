// Whole epochs on a CUDA device, without its host: the mask is drawn there, the step is counted
// there, the losses stay there, and from the second on an epoch is one launch of a CUDA graph, the
// scales side by side. The same bytes as training_step and adam_step, epoch by epoch, on that
// device. Only in builds with CUDA.
#pragma once

#include <functional>
#include <vector>

#include "engine/contexts.h"
#include "kernels/adam.h"
#include "model/training_step.h"

namespace m2st::model {

// How many epochs can run before the host asks for their losses.
inline constexpr int kMostEpochsAtOnce = 16;

// Trains epochs first .. first + count − 1, counted from 1, and waits for their losses.
using RunEpochs = std::function<std::vector<StepLoss>(int first, int count)>;

// Whether epochs of this kind can run so: all masked nodes get the token, and none is recomputed.
bool can_run_on_device(const TrainConfig& train, std::int64_t nodes);

// All arguments outlive the result.
template <class T>
RunEpochs epochs_on_device(CudaContext& cuda, Context& context, const Autoencoder& autoencoder,
                           autograd::ParameterBlock<T>& parameters, const PlacedData<T>& data,
                           const TrainConfig& train, const kernels::AdamOptions& adam);

}  // namespace m2st::model
