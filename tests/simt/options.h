// How the executor runs, from the environment: a program is run again under another schedule
// without a word about schedules in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace m2st::simt {

enum class Order { kForward, kReverse, kRandom };
// What is wrong with the device: a driver older than the runtime, no kernels built for it, or no
// memory left to set it up for a process.
enum class Fault { kNone, kOldDriver, kNoKernels, kNoRoom };

struct Options {
  Order order = Order::kForward;  // M2ST_SIMT_ORDER: forward, reverse, random
  std::uint64_t seed = 1;         // M2ST_SIMT_SEED: of the random order
  bool lazy = false;              // M2ST_SIMT_STREAMS: eager, lazy
  int workers = 1;                // M2ST_SIMT_WORKERS: threads of this machine that run blocks
  int devices = 1;                // M2ST_SIMT_DEVICES: 0 stands for a machine without one
  bool guarded = false;  // M2ST_SIMT_HOST_ACCESS: forbidden: host code may not touch device memory
  std::size_t memory = std::size_t{16} << 30;  // M2ST_SIMT_MEMORY: bytes of device memory
  // M2ST_SIMT_BLOCKS: how many blocks of device memory there are, ever; it stands for other
  // programs on the device that take what was free.
  std::size_t blocks = std::size_t{1} << 40;
  Fault fault = Fault::kNone;  // M2ST_SIMT_FAULT: none, old-driver, no-kernels, no-room
};

Options options_from_environment();

}  // namespace m2st::simt
