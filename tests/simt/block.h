// One block of a kernel, run to its end on one thread of this machine: every CUDA thread is a fiber
// once it has to wait, and runs straight through on a borrowed one if it never does.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simt/device.h"
#include "tests/simt/fiber.h"
#include "tests/simt/launch.h"
#include "tests/simt/schedule.h"
#include "tests/simt/shared_arena.h"
#include "tests/simt/tsan_clocks.h"
#include "tests/simt/warp.h"

namespace m2st::simt {

class Block {
 public:
  explicit Block(const Options& options);

  void begin_launch(const Launch& launch, std::uint64_t number);
  // Called for one block after the other between begin_launch and end_launch.
  void run(uint3 index, std::uint64_t number);
  void end_launch();

  // The block that runs on this thread of the machine; reports when there is none.
  static Block& current();

  // Called by device code, on the fiber of the thread that goes on.
  int barrier(bool predicate, Where where);
  std::uint64_t warp_operation(const WarpCall& call);
  void fence();
  void yield();
  void count_atomic();
  void* static_shared(const void* key, std::size_t bytes, std::size_t alignment);
  void* dynamic_shared() const { return shared_.dynamic(); }
  int lane() const { return current_ % kWarpLanes; }

 private:
  enum class Wait { kNone, kBarrier, kWarp };
  struct Thread {
    uint3 index;
    Fiber* fiber;  // null before its start
    Wait wait;
    Where where;
    std::uint64_t result;  // of the operation it waited for
  };

  static void fiber_body(void* block, Fiber& from);
  void run_threads();
  void finish_thread();
  // Leaves the running thread's fiber for the next thread's; returns when this one goes on.
  void go_on(Fiber& from);
  void set_running(int thread);
  Fiber* fiber_for(int thread);
  void wait(Wait what, Where where);
  void wake_barrier();
  void complete(const WarpResults& results, int warp);
  [[noreturn]] void fault(const std::string& what) const;
  [[noreturn]] void deadlock() const;
  std::string name_of(int thread) const;

  Schedule schedule_;
  SharedArena shared_;
  TsanClocks clocks_;
  const Launch* launch_ = nullptr;
  std::uint64_t launch_number_ = 0;
  uint3 index_ = {};
  int threads_count_ = 0;
  int finished_ = 0;
  int current_ = 0;  // the thread that runs
  std::vector<Thread> threads_;
  std::array<Warp, kMostWarps> warps_;
  ThreadSet ready_;
  ThreadSet yielded_;
  std::uint64_t idle_rounds_ = 0;  // in which every thread that could run gave way
  int atomics_ = 0;
  int at_barrier_ = 0;
  int barrier_true_ = 0;
  int barrier_first_ = 0;  // the thread that came first
  Fiber home_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> free_fibers_;
  bool own_stacks_;
};

}  // namespace m2st::simt
