// Stand-in for the toolkit's header of the same name: a block and tiles of up to a warp, on the
// executor's barriers and warp operations. No grid groups: blocks run one after the other.
#pragma once

#include <type_traits>

#include "tests/simt/include/device_variables.h"
#include "tests/simt/include/device_warp.h"

namespace cooperative_groups {

using m2st::simt::Where;

struct thread_block {
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return size(); }
  static unsigned thread_rank() {
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  }
  static dim3 group_index() { return blockIdx; }
  static dim3 thread_index() { return threadIdx; }
  static void sync(Where where = Where::current()) { m2st::simt::barrier(false, where); }
};

inline thread_block this_thread_block() { return {}; }

template <unsigned kSize, class Parent = void>
class thread_block_tile {
  static_assert(kSize >= 1 && kSize <= 32 && (kSize & (kSize - 1)) == 0);

 public:
  static constexpr unsigned size() { return kSize; }
  static constexpr unsigned num_threads() { return kSize; }
  static unsigned thread_rank() { return thread_block::thread_rank() % kSize; }
  static unsigned meta_group_rank() { return thread_block::thread_rank() / kSize; }
  static unsigned meta_group_size() { return (thread_block::size() + kSize - 1) / kSize; }

  void sync(Where where = Where::current()) const { m2st::simt::warp_barrier(mask(), where); }
  template <class T>
  T shfl(T value, int source, Where where = Where::current()) const {
    return __shfl_sync(mask(), value, source, kSize, where);
  }
  template <class T>
  T shfl_up(T value, unsigned delta, Where where = Where::current()) const {
    return __shfl_up_sync(mask(), value, delta, kSize, where);
  }
  template <class T>
  T shfl_down(T value, unsigned delta, Where where = Where::current()) const {
    return __shfl_down_sync(mask(), value, delta, kSize, where);
  }
  template <class T>
  T shfl_xor(T value, unsigned lanes, Where where = Where::current()) const {
    return __shfl_xor_sync(mask(), value, static_cast<int>(lanes), kSize, where);
  }
  int any(int predicate, Where where = Where::current()) const {
    return __any_sync(mask(), predicate, where);
  }
  int all(int predicate, Where where = Where::current()) const {
    return __all_sync(mask(), predicate, where);
  }
  // Bits of the tile's own lanes, from bit 0.
  unsigned ballot(int predicate, Where where = Where::current()) const {
    return __ballot_sync(mask(), predicate, where) >> first_lane();
  }
  template <class T>
  unsigned match_any(T value, Where where = Where::current()) const {
    return __match_any_sync(mask(), value, where) >> first_lane();
  }

 private:
  static unsigned first_lane() { return thread_block::thread_rank() % 32 / kSize * kSize; }
  // The last tile of a block may be short.
  static unsigned mask() {
    const unsigned first = thread_block::thread_rank() / kSize * kSize;
    const unsigned left = thread_block::size() - first;
    const unsigned lanes = left < kSize ? left : kSize;
    return (lanes == 32 ? 0xFFFFFFFFu : (1u << lanes) - 1) << first_lane();
  }
};

template <unsigned kSize, class Parent>
thread_block_tile<kSize, Parent> tiled_partition(const Parent&) {
  return {};
}

template <class Group>
void sync(const Group& group, Where where = Where::current()) {
  group.sync(where);
}

}  // namespace cooperative_groups
