// Parameters: names and shapes first (ParameterLayout), then one flat block that holds all values,
// gradients and moments, so that an optimiser's step, a sum over processes and a checkpoint are
// each one pass. Start values depend on (seed, place in the layout, element) only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/variable.h"
#include "engine/context.h"
#include "kernels/adam.h"

namespace m2st::autograd {

enum class Distribution { kConstant, kNormal, kUniform };

// kConstant: the value; kNormal: mean 0 and this deviation; kUniform: in ± this bound.
struct Initialiser {
  Distribution distribution = Distribution::kConstant;
  double scale = 0;
};

// Glorot and Bengio 2010: variance gain² · 2 / (fan_in + fan_out).
Initialiser xavier_normal(std::int64_t fan_in, std::int64_t fan_out, double gain);
Initialiser xavier_uniform(std::int64_t fan_in, std::int64_t fan_out, double gain);

struct ParameterSpec {
  std::string name;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  Initialiser initialiser;
  std::int64_t offset = 0;  // in the flat block, in elements

  std::int64_t size() const { return rows * cols; }
};

class ParameterLayout {
 public:
  // The parameter's index. Names are distinct.
  int add(std::string name, std::int64_t rows, std::int64_t cols, Initialiser initialiser);

  int count() const { return static_cast<int>(specs_.size()); }
  const ParameterSpec& operator[](int index) const {
    return specs_[static_cast<std::size_t>(index)];
  }
  const std::vector<ParameterSpec>& specs() const { return specs_; }
  // −1 when there is none of this name.
  int find(const std::string& name) const;
  // Elements of the flat block; parameters start on cache lines, what lies between stays zero.
  std::int64_t block_size() const { return block_size_; }
  // Elements that are parameters.
  std::int64_t parameter_count() const;

 private:
  std::vector<ParameterSpec> specs_;
  std::int64_t block_size_ = 0;
};

template <class T>
class ParameterBlock {
 public:
  // Values start as the layout says, moments at zero.
  ParameterBlock(Context& context, ParameterLayout layout, std::uint64_t seed);

  const ParameterLayout& layout() const { return layout_; }
  const Variable<T>& variable(int index) const {
    return variables_[static_cast<std::size_t>(index)];
  }
  // A parameter's value and gradient, writable.
  MatrixView<T> value(int index);
  MatrixView<T> gradient(int index);
  Span<T> values() { return values_.span(); }
  Span<T> gradients() { return gradients_.span(); }
  Span<T> first_moments() { return first_moments_.span(); }
  Span<T> second_moments() { return second_moments_.span(); }

  // Before a backward: every gradient counts as unwritten.
  void forget_gradients();
  // After it: what no op has written becomes zero.
  void clear_unwritten_gradients(Context& context);
  // One Adam step over the whole block; `step` counts from 1.
  void adam_step(Context& context, const kernels::AdamOptions& options, std::int64_t step);

 private:
  void initialise(Context& context, std::uint64_t seed);

  ParameterLayout layout_;
  Array<T> values_;
  Array<T> gradients_;
  Array<T> first_moments_;
  Array<T> second_moments_;
  std::vector<Variable<T>> variables_;
};

}  // namespace m2st::autograd
