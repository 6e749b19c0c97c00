// Runs launches: their configuration checked as CUDA checks it, their blocks in the order the
// options say, spread over a few threads of this machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "engine/thread_pool.h"
#include "tests/simt/block.h"
#include "tests/simt/launch.h"
#include "tests/simt/options.h"

namespace m2st::simt {

class Executor {
 public:
  explicit Executor(const Options& options);

  // Why CUDA would refuse the launch: its error code, 0 when it would not.
  int refusal(const Launch& launch) const;
  void run(const Launch& launch);
  // False when the device does not have so much.
  bool allow_dynamic_shared(const void* kernel, int bytes);

 private:
  // The blocks in the order in which they are begun.
  std::vector<std::uint64_t> blocks_of(const Launch& launch);

  Schedule order_;
  bool random_;
  ThreadPool threads_;
  std::vector<std::unique_ptr<Block>> workers_;
  std::uint64_t launches_ = 0;
  std::map<const void*, std::size_t> dynamic_limit_;  // of kernels that asked for more
};

}  // namespace m2st::simt
