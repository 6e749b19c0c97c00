// Input to clustering must be finite: everything after it is defined for finite numbers only.
#pragma once

#include <string>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// Exit code 4, naming the first cell and column that is not a finite number.
void check_finite(CpuContext& context, const std::string& what, MatrixView<const float> x);

}  // namespace m2st::cluster
