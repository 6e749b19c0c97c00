// Says why, instead of dying of an illegal instruction, when the program was copied to a processor
// that lacks instructions it was built with. Compiled for every x86-64, and free of inline
// functions of the library, of which the linker might keep another file's copy. Runs before the
// initialisers of other files, which may use such instructions already: the one constructor of its
// kind.
#include <cstdio>
#include <cstdlib>

#include "apps/built_for.h"
#include "engine/check.h"

#if defined(__x86_64__)

namespace m2st::apps {
namespace {

struct Feature {
  const char* name;
  bool needed;
  bool present;
};

[[gnu::constructor(101)]] void check_processor() {
  __builtin_cpu_init();
  const Feature features[] = {
      {"AVX2", kBuiltFor.avx2, __builtin_cpu_supports("avx2") != 0},
      {"FMA", kBuiltFor.fma, __builtin_cpu_supports("fma") != 0},
      {"BMI2", kBuiltFor.bmi2, __builtin_cpu_supports("bmi2") != 0},
      {"AVX512F", kBuiltFor.avx512f, __builtin_cpu_supports("avx512f") != 0},
      {"AVX512BW", kBuiltFor.avx512bw, __builtin_cpu_supports("avx512bw") != 0},
      {"AVX512CD", kBuiltFor.avx512cd, __builtin_cpu_supports("avx512cd") != 0},
      {"AVX512DQ", kBuiltFor.avx512dq, __builtin_cpu_supports("avx512dq") != 0},
      {"AVX512VL", kBuiltFor.avx512vl, __builtin_cpu_supports("avx512vl") != 0},
      {"AVX512IFMA", kBuiltFor.avx512ifma, __builtin_cpu_supports("avx512ifma") != 0},
      {"AVX512VBMI", kBuiltFor.avx512vbmi, __builtin_cpu_supports("avx512vbmi") != 0},
      {"AVX512VBMI2", kBuiltFor.avx512vbmi2, __builtin_cpu_supports("avx512vbmi2") != 0},
      {"AVX512VNNI", kBuiltFor.avx512vnni, __builtin_cpu_supports("avx512vnni") != 0},
      {"AVX512BITALG", kBuiltFor.avx512bitalg, __builtin_cpu_supports("avx512bitalg") != 0},
      {"AVX512VPOPCNTDQ", kBuiltFor.avx512vpopcntdq,
       __builtin_cpu_supports("avx512vpopcntdq") != 0},
      {"AVX5124VNNIW", kBuiltFor.avx5124vnniw, __builtin_cpu_supports("avx5124vnniw") != 0},
      {"AVX512BF16", kBuiltFor.avx512bf16, __builtin_cpu_supports("avx512bf16") != 0},
      {"GFNI", kBuiltFor.gfni, __builtin_cpu_supports("gfni") != 0}};
  for (const Feature& feature : features) {
    if (!feature.needed || feature.present) continue;
    std::fprintf(stderr,
                 "m2st: error: this program was built for processors with %s, which this one has "
                 "not; build it here, or for any processor with AVX2: cmake --preset cpu "
                 "-DM2ST_ARCH=x86-64-v3\n",
                 feature.name);
    std::_Exit(static_cast<int>(ExitCode::kDevice));
  }
}

}  // namespace
}  // namespace m2st::apps

#endif
