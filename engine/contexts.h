// The backends' contexts by name, enough to declare a kernel for each: CpuContext whole, because
// kernels on the host use it, CudaContext only forward, so that no CPU build needs its library.
#pragma once

#include "engine/cpu_context.h"

namespace m2st {

class CudaContext;

}  // namespace m2st
