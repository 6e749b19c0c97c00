// A fiber: a stack of its own and the switch to it, for x86-64. The switch saves what the calling
// convention asks a function to keep, nothing else; it is what a barrier of a CUDA thread costs.
#pragma once

#include <cstddef>

namespace m2st::simt {

class Fiber {
 public:
  // The stack that is running already.
  Fiber() = default;
  // Runs entry(argument, from) at the first switch to it; entry never returns, and calls arrived
  // first of all. The operating system's thread may differ from one switch to the next.
  using Entry = void (*)(void* argument, Fiber& from);
  Fiber(Entry entry, void* argument);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Leaves `from`, which is running, for `to`; returns when something switches back.
  static void change(Fiber& from, Fiber& to);
  static void arrived(Fiber& from);

 private:
  static void finish(void* fake_stack, Fiber& from);

  void* stack_pointer_ = nullptr;
  void* mapping_ = nullptr;
  // AddressSanitizer's view of this stack; the running stack's is learned at the first switch.
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace m2st::simt
