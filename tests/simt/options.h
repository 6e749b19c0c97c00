// How the executor runs, from the environment: a program is run again under another schedule
// without a word about schedules in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace m2st::simt {

enum class Order { kForward, kReverse, kRandom };

struct Options {
  Order order = Order::kForward;  // M2ST_SIMT_ORDER: forward, reverse, random
  std::uint64_t seed = 1;         // M2ST_SIMT_SEED: of the random order
  bool lazy = false;              // M2ST_SIMT_STREAMS: eager, lazy
  int workers = 1;                // M2ST_SIMT_WORKERS: threads of this machine that run blocks
  int devices = 1;                // M2ST_SIMT_DEVICES: 0 stands for a machine without one
  bool guarded = false;  // M2ST_SIMT_HOST_ACCESS: forbidden: host code may not touch device memory
  std::size_t memory = std::size_t{16} << 30;  // M2ST_SIMT_MEMORY: bytes of device memory
};

Options options_from_environment();

}  // namespace m2st::simt
