// What this machine can do, measured at the start of every run of a benchmark program, so that each
// line is a share of what was possible then and there.
#pragma once

namespace m2st::bench {

struct Ceilings {
  int threads = 0;
  double copy_bytes_per_second = 0;   // memcpy far beyond the caches, bytes read and written
  double gemm_flops_per_second = 0;   // the engine's float matrix product, 1024 cubed
  double fused_flops_per_second = 0;  // multiply-adds on registers alone: the processor's peak
};

// The best of some tries, taken at the first call.
const Ceilings& ceilings();

}  // namespace m2st::bench
