// One value everywhere.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

template <class T>
void fill(CpuContext& context, T value, Span<T> out);
template <class T>
void fill(CudaContext& context, T value, Span<T> out);

}  // namespace m2st::kernels
