// Starting values of the reference clustering from a folder of .npy files, named as golden data:
// init.S0.npy, init.P0.npy, init.W0.npy, init.V0.npy for the first view, ..., then init.H.npy,
// init.V<views>.npy and init.labels.npy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/reference_state.h"
#include "engine/cpu_context.h"

namespace m2st::apps {

// Exit codes 3 (a file missing), 4 (shapes that do not fit, values that are not finite, labels not
// in 0..K-1). d_s of each view and d_c are what the files say.
cluster::ReferenceState read_start(CpuContext& context, const std::string& folder,
                                   const std::vector<std::int64_t>& widths, std::int64_t cells,
                                   int clusters);

}  // namespace m2st::apps
