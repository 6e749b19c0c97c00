// Which instructions the rest of the program was compiled to use.
#pragma once

namespace m2st::apps {

struct BuiltFor {
  bool avx2 = false, fma = false, bmi2 = false;
  bool avx512f = false, avx512bw = false, avx512cd = false, avx512dq = false, avx512vl = false;
  // What particular processors add: a build for `native` may use these too.
  bool avx512ifma = false, avx512vbmi = false, avx512vbmi2 = false, avx512vnni = false;
  bool avx512bitalg = false, avx512vpopcntdq = false, avx5124vnniw = false, avx512bf16 = false,
       gfni = false;
};

// A constant: reading it runs no code.
extern const BuiltFor kBuiltFor;

}  // namespace m2st::apps
