#include "tests/simt/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/simt/sanitizer.h"

// m2st_simt_change(void** save, void* load, Fiber* from): pushes the registers that a callee keeps,
// stores the stack pointer at *save, continues on the stack `load` and returns `from` there.
asm(R"(
.pushsection .text
.globl m2st_simt_change
.type m2st_simt_change, @function
m2st_simt_change:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  movq %rdx, %rax
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size m2st_simt_change, .-m2st_simt_change
.globl m2st_simt_enter
.type m2st_simt_enter, @function
m2st_simt_enter:
  movq %r12, %rdi
  movq %rax, %rsi
  callq *%r13
  ud2
.size m2st_simt_enter, .-m2st_simt_enter
.popsection
)");

extern "C" m2st::simt::Fiber* m2st_simt_change(void** save, void* load, m2st::simt::Fiber* from);
extern "C" void m2st_simt_enter();

namespace m2st::simt {

namespace {

// Kernels use little, but unoptimised and sanitized code much more; untouched pages cost nothing.
constexpr std::size_t kStackBytes = 256 * 1024;
constexpr std::size_t kGuardBytes = 4096;

}  // namespace

Fiber::Fiber(Entry entry, void* argument) {
  mapping_ = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED || mprotect(mapping_, kGuardBytes, PROT_NONE) != 0) {
    std::perror("simt: no memory for the stack of a CUDA thread");
    std::abort();
  }
  bottom_ = static_cast<char*>(mapping_) + kGuardBytes;
  size_ = kStackBytes;
  // Popped by the switch: r15, r14, r13 (entry), r12 (argument), rbx, rbp; then the return address.
  // The stack is aligned to 16 when m2st_simt_enter starts, so that its call is as the ABI wants.
  auto* top = reinterpret_cast<void**>(static_cast<char*>(mapping_) + kGuardBytes + kStackBytes);
  top -= 9;
  top[2] = reinterpret_cast<void*>(entry);
  top[3] = argument;
  top[6] = reinterpret_cast<void*>(&m2st_simt_enter);
  stack_pointer_ = top;
}

Fiber::~Fiber() {
  if (mapping_ != nullptr) munmap(mapping_, kGuardBytes + kStackBytes);
}

// What runs now came from `from`, whose stack AddressSanitizer knows.
void Fiber::finish(void* fake_stack, Fiber& from) {
  if (__sanitizer_finish_switch_fiber == nullptr) return;
  __sanitizer_finish_switch_fiber(fake_stack, &from.bottom_, &from.size_);
}

void Fiber::change(Fiber& from, Fiber& to) {
  if (__sanitizer_start_switch_fiber != nullptr) {
    __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
  }
  Fiber* const back_from = m2st_simt_change(&from.stack_pointer_, to.stack_pointer_, &from);
  finish(from.fake_stack_, *back_from);
}

void Fiber::arrived(Fiber& from) { finish(nullptr, from); }

}  // namespace m2st::simt
