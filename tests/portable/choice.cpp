// Which of the kernels beside it did the loader take? Asked with what is expected: `best`, for the
// best that this processor runs, or the name itself. Compiled for every x86-64; ends with 77 where
// the least of the libraries does not run.
#include <cstdio>
#include <string>

#include "engine/instruction_set.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3") == 0) return 77;
  const bool wide = __builtin_cpu_supports("x86-64-v4") != 0;
  const std::string wanted = argv[1] != std::string("best") ? argv[1] : wide ? "AVX-512" : "AVX2";
  std::printf("wanted %s, got %s\n", wanted.c_str(), m2st::instruction_set());
  return wanted == m2st::instruction_set() ? 0 : 1;
}
