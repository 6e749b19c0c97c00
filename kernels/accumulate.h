// Every backward kernel says whether it overwrites its gradient or adds to it.
#pragma once

namespace m2st::kernels {

enum class Accumulate { kOverwrite, kAdd };

}  // namespace m2st::kernels
