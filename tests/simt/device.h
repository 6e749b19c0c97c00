// What device code asks of the executor: barriers, warp operations, shared memory, the end of one
// thread's turn. Called on the fiber of a CUDA thread only; every operation is told where in the
// source it stands, for the reports. The stand-in cuda_runtime.h builds CUDA's intrinsics on these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>

namespace m2st::simt {

using Where = std::source_location;

enum class Reduction { kSum, kLeast, kGreatest, kLeastSigned, kGreatestSigned, kAnd, kOr, kXor };

// Threads of the block whose predicate held.
int barrier(bool predicate, Where where);

void warp_barrier(unsigned mask, Where where);
std::uint64_t warp_shuffle(unsigned mask, std::uint64_t value, int source_lane, Where where);
unsigned warp_ballot(unsigned mask, bool predicate, Where where);
// The lanes of the mask that hold the same value.
unsigned warp_match(unsigned mask, std::uint64_t value, Where where);
std::uint32_t warp_reduce(unsigned mask, std::uint32_t value, Reduction reduction, Where where);

// One lane's part of a warp's products of fragments in double, rows · cols of them: a 8 × 4 of
// which lane l holds [l / 4, l % 4], b 4 × 8 with [l % 4, l / 4], sums 8 × 8 with two columns from
// [l / 4, 2 (l % 4)] on.
struct ProductPart {
  int rows;
  int cols;
  const double* a;  // of each fragment
  const double* b;
  double* sums;  // (rows, cols, 2)
};
// sums += a · b, a chain of fused operations for each; by all lanes.
void warp_products(const ProductPart& part, Where where);

void fence();
// Lets other threads of the block go first: for loops that wait for one.
void yield();
// Called by every atomic operation: one that spins gives others a turn.
void count_atomic();

// The block's storage that belongs to `key`, the same for every thread; poisoned at first.
void* static_shared(const void* key, std::size_t bytes, std::size_t alignment);
void* dynamic_shared();

int current_lane();

}  // namespace m2st::simt
