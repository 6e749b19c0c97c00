// Which vector instructions this build of the engine and its kernels uses. Where they were built
// for several processors (M2ST_ARCH) the answer differs from that of the program around them.
#pragma once

namespace m2st {

// "AVX-512 with BF16", "AVX-512", "AVX2" or "baseline".
const char* instruction_set();

}  // namespace m2st
