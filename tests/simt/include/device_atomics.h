// CUDA's atomics: relaxed, as on the device; what they leave unordered, a fence has to order.
#pragma once

#include <concepts>
#include <type_traits>

#include "tests/simt/device.h"

namespace m2st::simt {

// Replaces *address by change(*address) until nobody came between; the value before.
template <class T, class Change>
T atomic_update(T* address, Change&& change) {
  count_atomic();
  T before, after;
  __atomic_load(address, &before, __ATOMIC_RELAXED);
  do {
    after = change(before);
  } while (!__atomic_compare_exchange(address, &before, &after, true, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED));
  return before;
}

template <class T>
concept AtomicNumber = std::same_as<T, int> || std::same_as<T, unsigned> ||
    std::same_as<T, unsigned long long> || std::same_as<T, float> || std::same_as<T, double>;
template <class T>
concept AtomicInteger =
    std::same_as<T, int> || std::same_as<T, unsigned> || std::same_as<T, unsigned long long>;
template <class T>
concept AtomicOrdered = AtomicInteger<T> || std::same_as<T, long long>;

}  // namespace m2st::simt

template <m2st::simt::AtomicNumber T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  // Unsigned, because an atomic sum may wrap around.
  return m2st::simt::atomic_update(address, [value](T before) {
    if constexpr (std::same_as<T, int>) {
      return static_cast<int>(static_cast<unsigned>(before) + static_cast<unsigned>(value));
    } else {
      return before + value;
    }
  });
}
template <m2st::simt::AtomicInteger T>
T atomicSub(T* address, std::type_identity_t<T> value) {
  return atomicAdd(address, static_cast<T>(-value));
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [value](T) { return value; });
}
template <m2st::simt::AtomicOrdered T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [=](T old) { return value < old ? value : old; });
}
template <m2st::simt::AtomicOrdered T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [=](T old) { return old < value ? value : old; });
}
template <m2st::simt::AtomicInteger T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [=](T old) { return old == expected ? value : old; });
}
template <m2st::simt::AtomicOrdered T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [=](T old) { return static_cast<T>(old & value); });
}
template <m2st::simt::AtomicOrdered T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [=](T old) { return static_cast<T>(old | value); });
}
template <m2st::simt::AtomicOrdered T>
T atomicXor(T* address, std::type_identity_t<T> value) {
  return m2st::simt::atomic_update(address, [=](T old) { return static_cast<T>(old ^ value); });
}
inline unsigned atomicInc(unsigned* address, unsigned limit) {
  return m2st::simt::atomic_update(address,
                                   [=](unsigned old) { return old >= limit ? 0u : old + 1; });
}
inline unsigned atomicDec(unsigned* address, unsigned limit) {
  return m2st::simt::atomic_update(
      address, [=](unsigned old) { return old == 0 || old > limit ? limit : old - 1; });
}
