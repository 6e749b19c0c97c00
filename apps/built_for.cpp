// Compiled like the rest of the program, whose instructions it states.
#include "apps/built_for.h"

namespace m2st::apps {

const BuiltFor kBuiltFor = {
#ifdef __AVX2__
    .avx2 = true,
#endif
#ifdef __FMA__
    .fma = true,
#endif
#ifdef __BMI2__
    .bmi2 = true,
#endif
#ifdef __AVX512F__
    .avx512f = true,
#endif
#ifdef __AVX512BW__
    .avx512bw = true,
#endif
#ifdef __AVX512CD__
    .avx512cd = true,
#endif
#ifdef __AVX512DQ__
    .avx512dq = true,
#endif
#ifdef __AVX512VL__
    .avx512vl = true,
#endif
#ifdef __AVX512IFMA__
    .avx512ifma = true,
#endif
#ifdef __AVX512VBMI__
    .avx512vbmi = true,
#endif
#ifdef __AVX512VBMI2__
    .avx512vbmi2 = true,
#endif
#ifdef __AVX512VNNI__
    .avx512vnni = true,
#endif
#ifdef __AVX512BITALG__
    .avx512bitalg = true,
#endif
#ifdef __AVX512VPOPCNTDQ__
    .avx512vpopcntdq = true,
#endif
#ifdef __AVX5124VNNIW__
    .avx5124vnniw = true,
#endif
#ifdef __AVX512BF16__
    .avx512bf16 = true,
#endif
#ifdef __GFNI__
    .gfni = true,
#endif
};

}  // namespace m2st::apps
