// What orders CUDA threads for ThreadSanitizer: the launch, barriers, warp barriers and fences, and
// nothing else; in particular no shuffle and not the order in which the executor runs threads. Does
// nothing in programs without ThreadSanitizer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/simt/schedule.h"

namespace m2st::simt {

class TsanClocks {
 public:
  // Fibers of ThreadSanitizer for every thread, taken in turns by blocks: one block's threads must
  // not seem to follow those of the block before.
  static constexpr int kSets = 2;

  TsanClocks();
  ~TsanClocks();
  TsanClocks(const TsanClocks&) = delete;
  TsanClocks& operator=(const TsanClocks&) = delete;

  // All on the fiber of the caller of the launch.
  void begin_launch(int threads);
  // `new_ground`: the block's shared memory was mapped anew, which its threads must know.
  void begin_block(bool new_ground);
  void end_block();
  void end_launch();

  int set() const { return set_; }
  // Makes `thread` the one whose accesses are recorded.
  void run(int thread);
  void started();

  // A thread passes `arrive` when it comes to a barrier and `leave`, with what arrive returned,
  // when it goes on; `opened` is called between, by the last to come.
  void* arrive_at_barrier();
  void barrier_opened() { barrier_round_ ^= 1; }
  void* arrive_at_warp_barrier(int warp, unsigned mask);
  void warp_barrier_opened(int warp, unsigned mask);
  static void leave(void* clock);
  void fence();

 private:
  // Two clocks that take turns: a fast thread's next arrival must not be seen by a slow one that
  // has not left yet.
  struct MaskClock {
    unsigned mask;
    int round;
    std::uint64_t clock[2];
  };
  struct BlockClocks;
  struct Fiber {
    void* fiber;
    bool entered;  // in this launch
  };
  MaskClock& mask_clock(int warp, unsigned mask);

  void* home_ = nullptr;
  std::vector<Fiber> fibers_[kSets];
  int running_ = 0;
  int warps_ = 0;
  bool new_ground_ = false;
  int set_ = 0;
  int barrier_round_ = 0;
  struct LaunchClocks {
    std::uint64_t start, fence, end;
  };
  std::unique_ptr<LaunchClocks> launch_;
  std::unique_ptr<BlockClocks> block_;
};

}  // namespace m2st::simt
