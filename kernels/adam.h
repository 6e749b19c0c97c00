// Adam (Kingma and Ba 2015) over one flat block of parameters.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

struct AdamOptions {
  double learning_rate = 0.005;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 5e-4;
  bool decoupled = false;  // AdamW (Loshchilov and Hutter 2019) instead of L2 in the gradient
};

// One step; `step` counts from 1. All spans have one size; parameters and moments are updated.
template <class T>
void adam_step(CpuContext& context, const AdamOptions& options, std::int64_t step,
               Span<const T> gradient, Span<T> first_moment, Span<T> second_moment,
               Span<T> parameters);
template <class T>
void adam_step(CudaContext& context, const AdamOptions& options, std::int64_t step,
               Span<const T> gradient, Span<T> first_moment, Span<T> second_moment,
               Span<T> parameters);

}  // namespace m2st::kernels
