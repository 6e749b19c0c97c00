// The tape: a list of closures, one an op, run backwards. A closure is dropped as soon as it has
// run, and with it the last handles to values and gradients that nobody needs any more.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "autograd/variable.h"
#include "engine/context.h"

namespace m2st::autograd {

template <class T>
class Tape {
 public:
  enum class Mode { kRecord, kForwardOnly };

  Tape(Context& context, Mode mode) : context_(&context), mode_(mode) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  Context& context() const { return *context_; }
  MemoryPool& pool() const { return context_->pool(); }

  // An op's uninitialised result; it needs a gradient when one of the op's inputs does.
  template <class... Inputs>
  Variable<T> result(std::int64_t rows, std::int64_t cols, const Inputs&... inputs) const {
    return result_over(Matrix<T>(pool(), rows, cols), inputs...);
  }
  // The same over memory taken from an input (Variable::take_value).
  template <class... Inputs>
  Variable<T> result_over(Matrix<T> memory, const Inputs&... inputs) const {
    const bool needs_gradient = mode_ == Mode::kRecord && (inputs.needs_gradient() || ...);
    return Variable<T>(std::move(memory), needs_gradient);
  }

  // `backward` reads the gradient of `output` and adds to those of the op's inputs. Not kept when
  // the output needs no gradient, not run when none has reached it.
  template <class Backward>
  void record(const Variable<T>& output, Backward backward) {
    if (!output.needs_gradient()) return;
    closures_.push_back([output, backward = std::move(backward)] {
      if (output.has_gradient()) backward();
    });
  }
  // For ops with several results or a scalar one; the closure decides for itself.
  void record_always(std::function<void()> backward) {
    if (mode_ == Mode::kRecord) closures_.push_back(std::move(backward));
  }

  // Gradients of everything that `loss` was computed from, times `weight`. Empties the tape.
  void backward(const Scalar& loss, double weight) { backward_to(0, loss, weight); }

  // The same for what was recorded since the tape had this length; the rest stays, with the
  // gradients that have reached it.
  std::size_t length() const { return closures_.size(); }
  void backward_to(std::size_t length, const Scalar& loss, double weight) {
    loss.add_gradient(weight);
    while (closures_.size() > length) {
      const std::function<void()> closure = std::move(closures_.back());
      closures_.pop_back();
      closure();
    }
  }

 private:
  Context* context_;
  Mode mode_;
  std::vector<std::function<void()>> closures_;
};

}  // namespace m2st::autograd
