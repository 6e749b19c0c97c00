#include "tests/simt/tsan_clocks.h"

#include <array>
#include <utility>

#include "tests/simt/report.h"
#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

// Different masks that one warp may name in one block.
constexpr std::size_t kMostMasks = 32;

}  // namespace

// Made anew for every block: a clock of the block before would carry its order over.
struct TsanClocks::BlockClocks {
  std::uint64_t start = 0;
  std::array<std::uint64_t, 2> barrier = {};
  struct Masks {
    std::size_t count = 0;
    std::array<MaskClock, kMostMasks> clocks = {};
  };
  std::vector<Masks> warps;
};

TsanClocks::TsanClocks() = default;

TsanClocks::~TsanClocks() {
  for (const auto& set : fibers_) {
    for (const Fiber& fiber : set) __tsan_destroy_fiber(fiber.fiber);
  }
}

void TsanClocks::begin_launch(int threads) {
  if (!thread_sanitizer()) return;
  home_ = __tsan_get_current_fiber();
  launch_ = std::make_unique<LaunchClocks>();
  warps_ = (threads + kWarpLanes - 1) / kWarpLanes;
  for (auto& set : fibers_) {
    while (static_cast<int>(set.size()) < threads) set.push_back({__tsan_create_fiber(0), false});
  }
  release(&launch_->start);
}

void TsanClocks::begin_block(bool new_ground) {
  if (!thread_sanitizer()) return;
  block_ = std::make_unique<BlockClocks>();
  block_->warps.resize(static_cast<std::size_t>(warps_));
  set_ = (set_ + 1) % kSets;
  barrier_round_ = 0;
  new_ground_ = new_ground;
  if (new_ground) release(&block_->start);
}

void TsanClocks::end_block() {
  if (!thread_sanitizer()) return;
  switch_tsan_fiber(home_);
  block_.reset();
}

// Only here do the threads' accesses come before the host's: at a block's end the host must not
// learn of them, or it would hand them on to the next block.
void TsanClocks::end_launch() {
  if (!thread_sanitizer()) return;
  for (auto& set : fibers_) {
    for (Fiber& fiber : set) {
      if (!std::exchange(fiber.entered, false)) continue;
      switch_tsan_fiber(fiber.fiber);
      release(&launch_->end);
    }
  }
  switch_tsan_fiber(home_);
  acquire(&launch_->end);
  launch_.reset();
}

void TsanClocks::run(int thread) {
  if (!thread_sanitizer()) return;
  running_ = thread;
  switch_tsan_fiber(fibers_[set_][static_cast<std::size_t>(thread)].fiber);
}

void TsanClocks::started() {
  if (!thread_sanitizer()) return;
  Fiber& fiber = fibers_[set_][static_cast<std::size_t>(running_)];
  if (!std::exchange(fiber.entered, true)) acquire(&launch_->start);
  if (new_ground_) acquire(&block_->start);
}

void* TsanClocks::arrive_at_barrier() {
  if (!thread_sanitizer()) return nullptr;
  void* clock = &block_->barrier[static_cast<std::size_t>(barrier_round_)];
  release(clock);
  return clock;
}

TsanClocks::MaskClock& TsanClocks::mask_clock(int warp, unsigned mask) {
  BlockClocks::Masks& masks = block_->warps[static_cast<std::size_t>(warp)];
  for (std::size_t k = 0; k < masks.count; ++k) {
    if (masks.clocks[k].mask == mask) return masks.clocks[k];
  }
  if (masks.count == kMostMasks) report("more masks in one warp than the executor tells apart");
  MaskClock& clock = masks.clocks[masks.count++];
  clock.mask = mask;
  return clock;
}

void* TsanClocks::arrive_at_warp_barrier(int warp, unsigned mask) {
  if (!thread_sanitizer()) return nullptr;
  MaskClock& clock = mask_clock(warp, mask);
  release(&clock.clock[clock.round]);
  return &clock.clock[clock.round];
}

void TsanClocks::warp_barrier_opened(int warp, unsigned mask) {
  if (thread_sanitizer()) mask_clock(warp, mask).round ^= 1;
}

void TsanClocks::leave(void* clock) {
  if (clock != nullptr) acquire(clock);
}

void TsanClocks::fence() {
  if (!thread_sanitizer()) return;
  acquire(&launch_->fence);
  release(&launch_->fence);
}

}  // namespace m2st::simt
