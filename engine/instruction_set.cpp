// Compiled like the kernels it stands for.
#include "engine/instruction_set.h"

namespace m2st {

const char* instruction_set() {
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#if defined(__AVX512BF16__)
  return "AVX-512 with BF16";
#else
  return "AVX-512";
#endif
#elif defined(__AVX2__) && defined(__FMA__)
  return "AVX2";
#else
  return "baseline";
#endif
}

}  // namespace m2st
