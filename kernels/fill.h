// One value everywhere.
#pragma once

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::kernels {

template <class T>
void fill(CpuContext& context, T value, Span<T> out);

}  // namespace m2st::kernels
