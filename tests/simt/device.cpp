#include "tests/simt/device.h"

#include "tests/simt/block.h"

namespace m2st::simt {

namespace {

std::uint64_t warp_operation(const WarpCall& call) { return Block::current().warp_operation(call); }

}  // namespace

int barrier(bool predicate, Where where) { return Block::current().barrier(predicate, where); }

void warp_barrier(unsigned mask, Where where) {
  warp_operation({WarpKind::kBarrier, mask, 0, 0, Reduction::kSum, where});
}

std::uint64_t warp_shuffle(unsigned mask, std::uint64_t value, int source_lane, Where where) {
  return warp_operation({WarpKind::kShuffle, mask, value, source_lane, Reduction::kSum, where});
}

unsigned warp_ballot(unsigned mask, bool predicate, Where where) {
  const std::uint64_t bit = predicate ? 1 : 0;
  return static_cast<unsigned>(
      warp_operation({WarpKind::kBallot, mask, bit, 0, Reduction::kSum, where}));
}

unsigned warp_match(unsigned mask, std::uint64_t value, Where where) {
  return static_cast<unsigned>(
      warp_operation({WarpKind::kMatch, mask, value, 0, Reduction::kSum, where}));
}

std::uint32_t warp_reduce(unsigned mask, std::uint32_t value, Reduction reduction, Where where) {
  return static_cast<std::uint32_t>(
      warp_operation({WarpKind::kReduce, mask, value, 0, reduction, where}));
}

void warp_products(const ProductPart& part, Where where) {
  warp_operation({WarpKind::kProducts, 0xFFFFFFFFu, reinterpret_cast<std::uintptr_t>(&part), 0,
                  Reduction::kSum, where});
}

void fence() { Block::current().fence(); }
void yield() { Block::current().yield(); }
void count_atomic() { Block::current().count_atomic(); }

void* static_shared(const void* key, std::size_t bytes, std::size_t alignment) {
  return Block::current().static_shared(key, bytes, alignment);
}
void* dynamic_shared() { return Block::current().dynamic_shared(); }

int current_lane() { return Block::current().lane(); }

}  // namespace m2st::simt
