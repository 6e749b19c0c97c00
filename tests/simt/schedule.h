// Which thread of a block goes on next. Threads that can go on are bits, 32 to a warp; forward
// takes the lowest, reverse the highest, random any by a generator of its own.
#pragma once

#include <array>
#include <cstdint>

#include "tests/simt/options.h"

namespace m2st::simt {

inline constexpr int kWarpLanes = 32;
inline constexpr int kMostWarps = 32;

// A set of threads of one block.
class ThreadSet {
 public:
  bool empty() const { return warps_ == 0; }
  void clear() { *this = {}; }
  void add(int warp, std::uint32_t lanes) {
    lanes_[warp] |= lanes;
    if (lanes != 0) warps_ |= 1u << warp;
  }
  void remove(int warp, int lane) {
    lanes_[warp] &= ~(1u << lane);
    if (lanes_[warp] == 0) warps_ &= ~(1u << warp);
  }
  std::uint32_t warps() const { return warps_; }
  std::uint32_t lanes(int warp) const { return lanes_[warp]; }

 private:
  std::uint32_t warps_ = 0;
  std::array<std::uint32_t, kMostWarps> lanes_ = {};
};

class Schedule {
 public:
  Schedule(Order order, std::uint64_t seed) : order_(order), seed_(seed) {}

  // Each block draws from a sequence of its own, so that its order depends on nothing else.
  void begin_block(std::uint64_t launch, std::uint64_t block) {
    state_ = mixed(seed_ ^ mixed(launch ^ mixed(block)));
  }
  // The thread that goes on, taken out of the set, which is not empty.
  int take(ThreadSet& ready) {
    const int warp = choose(ready.warps());
    const int lane = choose(ready.lanes(warp));
    ready.remove(warp, lane);
    return warp * kWarpLanes + lane;
  }
  // One of `count`: the first, the last, or any.
  std::uint64_t one_of(std::uint64_t count) {
    if (order_ == Order::kForward) return 0;
    if (order_ == Order::kReverse) return count - 1;
    return next() % count;
  }

 private:
  // Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014 (splitmix64).
  static std::uint64_t mixed(std::uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  std::uint64_t next() { return mixed(state_++); }
  int choose(std::uint32_t bits) {
    std::uint64_t skip = one_of(static_cast<std::uint64_t>(__builtin_popcount(bits)));
    if (order_ == Order::kReverse) return 31 - __builtin_clz(bits);
    for (; skip > 0; --skip) bits &= bits - 1;
    return __builtin_ctz(bits);
  }

  Order order_;
  std::uint64_t seed_;
  std::uint64_t state_ = 0;
};

}  // namespace m2st::simt
