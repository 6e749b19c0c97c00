#include "tests/simt/tsan_clocks.h"

#include <array>

#include "tests/simt/report.h"
#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

// Different masks that one warp may name in one block.
constexpr int kMostMasks = 64;

}  // namespace

// Made anew for every block: a clock of the block before would carry its order over.
struct TsanClocks::BlockClocks {
  std::uint64_t start = 0;
  std::array<std::uint64_t, 2> barrier = {};
  std::array<int, kMostWarps> masks = {};
  std::array<std::array<MaskClock, kMostMasks>, kMostWarps> warp = {};
};

TsanClocks::TsanClocks() = default;

TsanClocks::~TsanClocks() {
  for (const auto& set : fibers_) {
    for (void* fiber : set) __tsan_destroy_fiber(fiber);
  }
}

void TsanClocks::begin_launch(int threads) {
  if (!thread_sanitizer()) return;
  home_ = __tsan_get_current_fiber();
  launch_ = std::make_unique<LaunchClocks>();
  for (auto& set : fibers_) {
    while (static_cast<int>(set.size()) < threads) set.push_back(__tsan_create_fiber(0));
  }
}

void TsanClocks::begin_block() {
  if (!thread_sanitizer()) return;
  block_ = std::make_unique<BlockClocks>();
  set_ = (set_ + 1) % kSets;
  barrier_round_ = 0;
  release(&block_->start);
}

void TsanClocks::end_block() {
  if (!thread_sanitizer()) return;
  switch_tsan_fiber(home_);
  block_.reset();
}

void TsanClocks::end_launch() {
  if (!thread_sanitizer()) return;
  acquire(&launch_->end);
  launch_.reset();
}

void TsanClocks::run(int thread) {
  if (thread_sanitizer()) switch_tsan_fiber(fibers_[set_][static_cast<std::size_t>(thread)]);
}

void TsanClocks::started() {
  if (thread_sanitizer()) acquire(&block_->start);
}

void TsanClocks::finished() {
  if (thread_sanitizer()) release(&launch_->end);
}

void* TsanClocks::arrive_at_barrier() {
  if (!thread_sanitizer()) return nullptr;
  void* clock = &block_->barrier[static_cast<std::size_t>(barrier_round_)];
  release(clock);
  return clock;
}

TsanClocks::MaskClock& TsanClocks::mask_clock(int warp, unsigned mask) {
  auto& clocks = block_->warp[static_cast<std::size_t>(warp)];
  int& count = block_->masks[static_cast<std::size_t>(warp)];
  for (int k = 0; k < count; ++k) {
    if (clocks[static_cast<std::size_t>(k)].mask == mask)
      return clocks[static_cast<std::size_t>(k)];
  }
  if (count == kMostMasks) report("more masks in one warp than the executor can tell apart");
  MaskClock& clock = clocks[static_cast<std::size_t>(count++)];
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
