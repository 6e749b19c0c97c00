// Barriers, fences and warp operations by CUDA's names. Every one carries its place in the source.
#pragma once

#include <cstring>
#include <type_traits>

#include "tests/simt/device.h"

namespace m2st::simt {

template <class T>
concept Shuffled = std::is_arithmetic_v<T> && sizeof(T) >= 4 && sizeof(T) <= 8;

template <class T>
std::uint64_t to_bits(T value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(value));
  return bits;
}

template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace m2st::simt

inline void __syncthreads(m2st::simt::Where where = m2st::simt::Where::current()) {
  m2st::simt::barrier(false, where);
}
inline int __syncthreads_count(int predicate,
                               m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::barrier(predicate != 0, where);
}
inline int __syncthreads_or(int predicate, m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::barrier(predicate != 0, where) != 0;
}
inline int __syncthreads_and(int predicate,
                             m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::barrier(predicate == 0, where) == 0;
}
inline void __syncwarp(unsigned mask = 0xFFFFFFFFu,
                       m2st::simt::Where where = m2st::simt::Where::current()) {
  m2st::simt::warp_barrier(mask, where);
}
inline void __threadfence() { m2st::simt::fence(); }
inline void __threadfence_block() { m2st::simt::fence(); }
inline void __threadfence_system() { m2st::simt::fence(); }
inline void __nanosleep(unsigned) { m2st::simt::yield(); }

template <m2st::simt::Shuffled T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              m2st::simt::Where where = m2st::simt::Where::current()) {
  const int lane = m2st::simt::current_lane();
  const int from = (lane & ~(width - 1)) | (source & (width - 1));
  return m2st::simt::from_bits<T>(
      m2st::simt::warp_shuffle(mask, m2st::simt::to_bits(value), from, where));
}
template <m2st::simt::Shuffled T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 m2st::simt::Where where = m2st::simt::Where::current()) {
  const int lane = m2st::simt::current_lane();
  const bool inside = delta <= static_cast<unsigned>(lane & (width - 1));
  const int from = inside ? lane - static_cast<int>(delta) : lane;
  return m2st::simt::from_bits<T>(
      m2st::simt::warp_shuffle(mask, m2st::simt::to_bits(value), from, where));
}
template <m2st::simt::Shuffled T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   m2st::simt::Where where = m2st::simt::Where::current()) {
  const int lane = m2st::simt::current_lane();
  const bool inside = (lane & (width - 1)) + delta < static_cast<unsigned>(width);
  const int from = inside ? lane + static_cast<int>(delta) : lane;
  return m2st::simt::from_bits<T>(
      m2st::simt::warp_shuffle(mask, m2st::simt::to_bits(value), from, where));
}
// A lane of an earlier segment may be read, one of a later segment may not: then the own value.
template <m2st::simt::Shuffled T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  m2st::simt::Where where = m2st::simt::Where::current()) {
  const int lane = m2st::simt::current_lane();
  const int other = lane ^ lanes;
  const int from = other <= (lane | (width - 1)) ? other : lane;
  return m2st::simt::from_bits<T>(
      m2st::simt::warp_shuffle(mask, m2st::simt::to_bits(value), from, where));
}

inline unsigned __ballot_sync(unsigned mask, int predicate,
                              m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_ballot(mask, predicate != 0, where);
}
inline int __any_sync(unsigned mask, int predicate,
                      m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_ballot(mask, predicate != 0, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate,
                      m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_ballot(mask, predicate != 0, where) == mask;
}
template <m2st::simt::Shuffled T>
unsigned __match_any_sync(unsigned mask, T value,
                          m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_match(mask, m2st::simt::to_bits(value), where);
}
template <m2st::simt::Shuffled T>
unsigned __match_all_sync(unsigned mask, T value, int* predicate,
                          m2st::simt::Where where = m2st::simt::Where::current()) {
  *predicate = m2st::simt::warp_match(mask, m2st::simt::to_bits(value), where) == mask;
  return *predicate != 0 ? mask : 0;
}

inline unsigned __reduce_add_sync(unsigned mask, unsigned value,
                                  m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_reduce(mask, value, m2st::simt::Reduction::kSum, where);
}
inline int __reduce_add_sync(unsigned mask, int value,
                             m2st::simt::Where where = m2st::simt::Where::current()) {
  return static_cast<int>(m2st::simt::warp_reduce(mask, static_cast<unsigned>(value),
                                                  m2st::simt::Reduction::kSum, where));
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value,
                                  m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_reduce(mask, value, m2st::simt::Reduction::kLeast, where);
}
inline int __reduce_min_sync(unsigned mask, int value,
                             m2st::simt::Where where = m2st::simt::Where::current()) {
  return static_cast<int>(m2st::simt::warp_reduce(mask, static_cast<unsigned>(value),
                                                  m2st::simt::Reduction::kLeastSigned, where));
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value,
                                  m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_reduce(mask, value, m2st::simt::Reduction::kGreatest, where);
}
inline int __reduce_max_sync(unsigned mask, int value,
                             m2st::simt::Where where = m2st::simt::Where::current()) {
  return static_cast<int>(m2st::simt::warp_reduce(mask, static_cast<unsigned>(value),
                                                  m2st::simt::Reduction::kGreatestSigned, where));
}
inline unsigned __reduce_and_sync(unsigned mask, unsigned value,
                                  m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_reduce(mask, value, m2st::simt::Reduction::kAnd, where);
}
inline unsigned __reduce_or_sync(unsigned mask, unsigned value,
                                 m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_reduce(mask, value, m2st::simt::Reduction::kOr, where);
}
inline unsigned __reduce_xor_sync(unsigned mask, unsigned value,
                                  m2st::simt::Where where = m2st::simt::Where::current()) {
  return m2st::simt::warp_reduce(mask, value, m2st::simt::Reduction::kXor, where);
}
