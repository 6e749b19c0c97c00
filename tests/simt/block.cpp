#include "tests/simt/block.h"

#include "engine/check.h"
#include "tests/simt/include/device_variables.h"
#include "tests/simt/report.h"
#include "tests/simt/sanitizer.h"

namespace m2st::simt {

namespace {

constexpr int kMostThreads = kMostWarps * kWarpLanes;
// A thread that waits for another by looking again and again gives way once in so many atomics.
constexpr int kAtomicsBeforeYield = 256;
// Every thread of the block gave way so often, and none came any further.
constexpr std::uint64_t kMostIdleRounds = 100000;

thread_local Block* current_block = nullptr;

bool same_place(const Where& a, const Where& b) {
  return a.line() == b.line() && std::string_view(a.file_name()) == b.file_name();
}

uint3 thread_index(int thread, dim3 block) {
  const auto t = static_cast<unsigned>(thread);
  return {t % block.x, t / block.x % block.y, t / (block.x * block.y)};
}

}  // namespace

// ThreadSanitizer would take one stack's use by two threads for a race, so each has its own there.
Block::Block(const Options& options)
    : schedule_(options.order, options.seed), own_stacks_(thread_sanitizer()) {
  threads_.resize(kMostThreads);
  // No container grows while kernels run: ThreadSanitizer would see whose fiber it grew on.
  fibers_.reserve(TsanClocks::kSets * kMostThreads);
  free_fibers_.reserve(kMostThreads);
}

Block& Block::current() {
  if (current_block == nullptr) report("an operation of device code was called by the host");
  return *current_block;
}

void Block::begin_launch(const Launch& launch, std::uint64_t number) {
  launch_ = &launch;
  launch_number_ = number;
  threads_count_ = static_cast<int>(launch.block.x * launch.block.y * launch.block.z);
  for (int t = 0; t < threads_count_; ++t) {
    threads_[static_cast<std::size_t>(t)].index = thread_index(t, launch.block);
  }
  clocks_.begin_launch(threads_count_);
  const std::size_t stacks = own_stacks_ ? kMostThreads * TsanClocks::kSets : 0;
  while (fibers_.size() < stacks) {
    fibers_.push_back(std::make_unique<Fiber>(&Block::fiber_body, this));
  }
}

void Block::end_launch() { clocks_.end_launch(); }

void Block::run(uint3 index, std::uint64_t number) {
  index_ = index;
  finished_ = 0;
  at_barrier_ = 0;
  idle_rounds_ = 0;
  schedule_.begin_block(launch_number_, number);
  const bool new_ground = shared_.begin_block(launch_->dynamic_bytes);
  for (int t = 0; t < threads_count_; ++t) {
    threads_[static_cast<std::size_t>(t)].fiber = nullptr;
    threads_[static_cast<std::size_t>(t)].wait = Wait::kNone;
  }
  for (int warp = 0; warp * kWarpLanes < threads_count_; ++warp) {
    const int lanes = threads_count_ - warp * kWarpLanes;
    const unsigned exist = lanes >= kWarpLanes ? 0xFFFFFFFFu : (1u << lanes) - 1;
    warps_[static_cast<std::size_t>(warp)].begin_block(exist);
    ready_.add(warp, exist);
  }
  Block* const outer = current_block;
  current_block = this;
  blockIdx = index;
  blockDim = launch_->block;
  gridDim = launch_->grid;
  clocks_.begin_block(new_ground);
  go_on(home_);
  clocks_.end_block();
  current_block = outer;
  if (!shared_.intact()) fault("shared memory was written outside of what was declared");
}

void Block::fiber_body(void* block, Fiber& from) {
  Fiber::arrived(from);
  static_cast<Block*>(block)->run_threads();
}

// Runs one thread after the other; in between others' fibers may run.
void Block::run_threads() {
  for (;;) {
    clocks_.started();
    launch_->thread();
    Fiber& mine = *threads_[static_cast<std::size_t>(current_)].fiber;
    finish_thread();
    if (!own_stacks_) free_fibers_.push_back(&mine);
    go_on(mine);
  }
}

void Block::finish_thread() {
  ++finished_;
  idle_rounds_ = 0;
  const std::string complaint =
      warps_[static_cast<std::size_t>(current_ / kWarpLanes)].return_of(current_ % kWarpLanes);
  if (!complaint.empty()) fault(complaint);
  if (at_barrier_ > 0) {
    fault(concat("thread ", name_of(current_), " returned while ", at_barrier_,
                 " others wait at the barrier at ",
                 text_of(threads_[static_cast<std::size_t>(barrier_first_)].where)));
  }
}

void Block::go_on(Fiber& from) {
  if (ready_.empty() && !yielded_.empty()) {
    if (++idle_rounds_ > kMostIdleRounds) deadlock();
    std::swap(ready_, yielded_);
  }
  if (ready_.empty()) {
    if (finished_ != threads_count_) deadlock();
    Fiber::change(from, home_);
    return;
  }
  set_running(schedule_.take(ready_));
  Thread& thread = threads_[static_cast<std::size_t>(current_)];
  if (thread.fiber == nullptr) thread.fiber = fiber_for(current_);
  if (thread.fiber != &from) Fiber::change(from, *thread.fiber);
}

void Block::set_running(int thread) {
  current_ = thread;
  threadIdx = threads_[static_cast<std::size_t>(thread)].index;
  clocks_.run(thread);
}

Fiber* Block::fiber_for(int thread) {
  if (own_stacks_) {
    const auto index = static_cast<std::size_t>(clocks_.set() * kMostThreads + thread);
    return fibers_[index].get();
  }
  if (free_fibers_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(&Block::fiber_body, this));
    return fibers_.back().get();
  }
  Fiber* fiber = free_fibers_.back();
  free_fibers_.pop_back();
  return fiber;
}

void Block::wait(Wait what, Where where) {
  Thread& thread = threads_[static_cast<std::size_t>(current_)];
  thread.wait = what;
  thread.where = where;
  atomics_ = 0;
  go_on(*thread.fiber);
}

int Block::barrier(bool predicate, Where where) {
  Thread& thread = threads_[static_cast<std::size_t>(current_)];
  thread.where = where;
  if (finished_ > 0) {
    fault(concat("thread ", name_of(current_), " comes to the barrier at ", text_of(where), ", ",
                 finished_, " threads of its block have returned"));
  }
  if (at_barrier_ == 0) {
    barrier_first_ = current_;
    barrier_true_ = 0;
  }
  const Thread& first = threads_[static_cast<std::size_t>(barrier_first_)];
  if (!same_place(first.where, where)) {
    fault(concat("divergent barrier: thread ", name_of(barrier_first_), " waits at ",
                 text_of(first.where), ", thread ", name_of(current_), " at ", text_of(where)));
  }
  void* const clock = clocks_.arrive_at_barrier();
  barrier_true_ += predicate ? 1 : 0;
  if (++at_barrier_ == threads_count_) wake_barrier();
  wait(at_barrier_ == 0 ? Wait::kNone : Wait::kBarrier, where);
  TsanClocks::leave(clock);
  return static_cast<int>(thread.result);
}

void Block::wake_barrier() {
  at_barrier_ = 0;
  idle_rounds_ = 0;
  clocks_.barrier_opened();
  for (int t = 0; t < threads_count_; ++t) {
    threads_[static_cast<std::size_t>(t)].result = static_cast<std::uint64_t>(barrier_true_);
    threads_[static_cast<std::size_t>(t)].wait = Wait::kNone;
  }
  for (int warp = 0; warp * kWarpLanes < threads_count_; ++warp) {
    const int lanes = threads_count_ - warp * kWarpLanes;
    ready_.add(warp, lanes >= kWarpLanes ? 0xFFFFFFFFu : (1u << lanes) - 1);
  }
}

std::uint64_t Block::warp_operation(const WarpCall& call) {
  const int warp = current_ / kWarpLanes;
  Thread& thread = threads_[static_cast<std::size_t>(current_)];
  thread.where = call.where;
  const std::string complaint =
      warps_[static_cast<std::size_t>(warp)].complaint(current_ % kWarpLanes, call);
  if (!complaint.empty()) fault(concat(complaint, ", at ", text_of(call.where)));
  const bool orders = call.kind == WarpKind::kBarrier;
  void* const clock = orders ? clocks_.arrive_at_warp_barrier(warp, call.mask) : nullptr;
  WarpResults results;
  warps_[static_cast<std::size_t>(warp)].arrive(current_ % kWarpLanes, call, results);
  if (results.mask != 0) {
    if (orders) clocks_.warp_barrier_opened(warp, call.mask);
    complete(results, warp);
  }
  wait(results.mask != 0 ? Wait::kNone : Wait::kWarp, call.where);
  TsanClocks::leave(clock);
  return thread.result;
}

void Block::complete(const WarpResults& results, int warp) {
  idle_rounds_ = 0;
  for (unsigned mask = results.mask; mask != 0; mask &= mask - 1) {
    const int lane = __builtin_ctz(mask);
    Thread& thread = threads_[static_cast<std::size_t>(warp * kWarpLanes + lane)];
    thread.result = results.of_lane[static_cast<std::size_t>(lane)];
    thread.wait = Wait::kNone;
  }
  ready_.add(warp, results.mask);
}

void Block::fence() { clocks_.fence(); }

void Block::yield() {
  yielded_.add(current_ / kWarpLanes, 1u << current_ % kWarpLanes);
  Thread& thread = threads_[static_cast<std::size_t>(current_)];
  atomics_ = 0;
  go_on(*thread.fiber);
}

void Block::count_atomic() {
  if (++atomics_ >= kAtomicsBeforeYield) yield();
}

void* Block::static_shared(const void* key, std::size_t bytes, std::size_t alignment) {
  void* piece = shared_.piece(key, bytes, alignment);
  if (piece == nullptr) {
    fault(concat("more static shared memory than the ", kStaticSharedLimit, " bytes there are"));
  }
  return piece;
}

std::string Block::name_of(int thread) const {
  return text_of(threads_[static_cast<std::size_t>(thread)].index);
}

void Block::fault(const std::string& what) const {
  report(concat(what, " [kernel ", function_name(launch_->kernel), ", block ", text_of(index_),
                ", thread ", name_of(current_), "]"));
}

void Block::deadlock() const {
  std::string who;
  int listed = 0;
  for (int t = 0; t < threads_count_ && listed < 4; ++t) {
    const Thread& thread = threads_[static_cast<std::size_t>(t)];
    if (thread.wait == Wait::kNone) continue;
    who += concat(listed++ == 0 ? "" : "; ", "thread ", name_of(t), " waits at ",
                  text_of(thread.where));
  }
  if (!yielded_.empty()) who += " others look again and again for what no thread will do";
  fault(concat("deadlock: ", who));
}

}  // namespace m2st::simt
