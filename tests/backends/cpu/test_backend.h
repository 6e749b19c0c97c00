// The backend that the tests of kernels run on: here the CPU's. The folder tests/backends/cuda has
// a header of the same name; which one a test sees is its executable's include path.
#pragma once

#include "engine/cpu_context.h"

namespace m2st::test {

using Backend = CpuContext;

}  // namespace m2st::test
