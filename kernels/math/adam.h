// One parameter's Adam step (Kingma and Ba 2015, algorithm 1; AdamW: Loshchilov and Hutter 2019,
// algorithm 2), for the CPU's loop and the CUDA kernel alike. Written as PyTorch orders it.
#pragma once

#include <cmath>
#include <cstdint>

#include "engine/philox.h"
#include "kernels/adam.h"

namespace m2st::kernels {

// What all parameters of one step share.
template <class T>
struct AdamFactors {
  T beta1, one_minus_beta1;
  T beta2, one_minus_beta2;
  T step_size;          // learning rate over the first moment's bias correction
  T second_correction;  // square root of the second moment's bias correction
  T epsilon;
  T coupled_decay;  // added to the gradient, times the parameter
  T kept;           // the parameter's factor under decoupled decay
};

template <class T>
AdamFactors<T> adam_factors(const AdamOptions& options, std::int64_t step) {
  const double power = static_cast<double>(step);
  const double first = 1 - std::pow(options.beta1, power);
  const double second = 1 - std::pow(options.beta2, power);
  const double decay = options.weight_decay;
  return {static_cast<T>(options.beta1),
          static_cast<T>(1 - options.beta1),
          static_cast<T>(options.beta2),
          static_cast<T>(1 - options.beta2),
          static_cast<T>(options.learning_rate / first),
          static_cast<T>(std::sqrt(second)),
          static_cast<T>(options.epsilon),
          static_cast<T>(options.decoupled ? 0 : decay),
          static_cast<T>(options.decoupled ? 1 - options.learning_rate * decay : 1)};
}

template <class T>
M2ST_HOST_DEVICE inline void adam_update(const AdamFactors<T>& factors, T gradient, T& first_moment,
                                         T& second_moment, T& parameter) {
  const T g = gradient + factors.coupled_decay * parameter;
  first_moment = factors.beta1 * first_moment + factors.one_minus_beta1 * g;
  second_moment = factors.beta2 * second_moment + factors.one_minus_beta2 * g * g;
  const T width = std::sqrt(second_moment) / factors.second_correction + factors.epsilon;
  parameter = factors.kept * parameter - factors.step_size * (first_moment / width);
}

}  // namespace m2st::kernels
