// What the executor tells AddressSanitizer and ThreadSanitizer. All weak: null in a program built
// without them, so that one build of the executor serves every kind of program. The executor itself
// is never instrumented; kernels are.
#pragma once

#include <cstddef>

extern "C" {
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** saved, const void* bottom,
                                                  std::size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* saved, const void** old_bottom,
                                                   std::size_t* old_size);
[[gnu::weak]] void __asan_poison_memory_region(const volatile void* first, std::size_t bytes);
[[gnu::weak]] void __asan_unpoison_memory_region(const volatile void* first, std::size_t bytes);
[[gnu::weak]] void* __tsan_get_current_fiber();
[[gnu::weak]] void* __tsan_create_fiber(unsigned flags);
[[gnu::weak]] void __tsan_destroy_fiber(void* fiber);
[[gnu::weak]] void __tsan_switch_to_fiber(void* fiber, unsigned flags);
[[gnu::weak]] void __tsan_acquire(void* clock);
[[gnu::weak]] void __tsan_release(void* clock);
}

namespace m2st::simt {

inline bool thread_sanitizer() { return __tsan_create_fiber != nullptr; }

inline void poison(const void* first, std::size_t bytes) {
  if (__asan_poison_memory_region != nullptr) __asan_poison_memory_region(first, bytes);
}

inline void unpoison(const void* first, std::size_t bytes) {
  if (__asan_unpoison_memory_region != nullptr) __asan_unpoison_memory_region(first, bytes);
}

inline void acquire(void* clock) {
  if (__tsan_acquire != nullptr) __tsan_acquire(clock);
}

inline void release(void* clock) {
  if (__tsan_release != nullptr) __tsan_release(clock);
}

// No ordering: what orders CUDA threads is barriers and fences, not the executor's switches.
inline void switch_tsan_fiber(void* fiber) {
  constexpr unsigned kNoSynchronisation = 1;
  if (__tsan_switch_to_fiber != nullptr) __tsan_switch_to_fiber(fiber, kNoSynchronisation);
}

// Not memset: the sanitizers intercept that one and would take it for an access of the program.
inline void fill_unseen(void* to, unsigned char value, std::size_t bytes) {
  asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
}

}  // namespace m2st::simt
