// Operations of a warp under a mask. A lane that comes waits in the one pending operation of its
// kind and mask; the last lane of the mask to come works out every lane's result.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tests/simt/device.h"
#include "tests/simt/schedule.h"

namespace m2st::simt {

enum class WarpKind { kBarrier, kShuffle, kBallot, kMatch, kReduce, kProducts };

struct WarpCall {
  WarpKind kind;
  unsigned mask;
  std::uint64_t value;  // for products the address of the lane's part
  int source;           // lane, for shuffles
  Reduction reduction;
  Where where;
};

struct WarpResults {
  unsigned mask = 0;  // lanes that go on; 0 while some are missing
  std::array<std::uint64_t, kWarpLanes> of_lane;
};

class Warp {
 public:
  // `lanes`: those that exist.
  void begin_block(unsigned lanes) {
    lanes_ = lanes;
    returned_ = 0;
    count_ = 0;
  }
  // Empty when the lane may do this, else what is wrong.
  std::string complaint(int lane, const WarpCall& call) const;
  // Adds the lane; the results once it was the last. `results.mask` 0: the lane has to wait.
  void arrive(int lane, const WarpCall& call, WarpResults& results);
  // What is wrong with the lane's return, if anything.
  std::string return_of(int lane);

 private:
  struct Pending {
    WarpCall call;  // of the lane that came first
    unsigned arrived;
    std::array<std::uint64_t, kWarpLanes> value;
    std::array<int, kWarpLanes> source;
  };
  int find(int lane, const WarpCall& call) const;
  static void work_out(const Pending& pending, WarpResults& results);

  unsigned lanes_ = 0;
  unsigned returned_ = 0;
  int count_ = 0;
  std::array<Pending, kWarpLanes> pending_;
};

const char* name_of(WarpKind kind);

}  // namespace m2st::simt
