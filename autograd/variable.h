// Variables: small shared handles to a value and its gradient, the nodes of the tape. Copies share;
// memory goes back to the pool with the last handle, which is what lets the backward pass free
// values and gradients as it goes.
#pragma once

#include <memory>
#include <utility>

#include "engine/array.h"
#include "engine/check.h"
#include "kernels/accumulate.h"

namespace m2st::autograd {

using kernels::Accumulate;

// Where a backward writes: the first writer of a gradient overwrites, later ones add.
template <class T>
struct GradientTarget {
  MatrixView<T> view;
  Accumulate accumulate = Accumulate::kOverwrite;

  T beta() const { return accumulate == Accumulate::kAdd ? T(1) : T(0); }
};

template <class T>
class Variable {
 public:
  Variable() = default;
  // An op's result.
  Variable(Matrix<T> value, bool needs_gradient) : node_(std::make_shared<Node>()) {
    node_->owned_value = std::move(value);
    node_->value = node_->owned_value.view();
    node_->needs_gradient = needs_gradient;
  }
  // Memory of somebody who outlives the variable; no gradient.
  static Variable constant(MatrixView<const T> value) {
    Variable variable;
    variable.node_ = std::make_shared<Node>();
    variable.node_->value = value;
    return variable;
  }
  // Value and gradient in a flat block (parameters.h).
  static Variable parameter(MatrixView<const T> value, MatrixView<T> gradient) {
    Variable variable = constant(value);
    variable.node_->needs_gradient = true;
    variable.node_->gradient = gradient;
    variable.node_->gradient_is_external = true;
    return variable;
  }

  bool defined() const { return node_ != nullptr; }
  std::int64_t rows() const { return node_->value.rows; }
  std::int64_t cols() const { return node_->value.cols; }
  MatrixView<const T> value() const {
    M2ST_CHECK(!node_->value_is_taken, "variable: its value was consumed by an in-place op");
    return node_->value;
  }
  // An op's result while the op computes it.
  MatrixView<T> result() const {
    M2ST_CHECK(node_->owned_value.size() == node_->value.size(),
               "variable: only an op's own result can be written");
    return node_->owned_value.view();
  }
  bool needs_gradient() const { return defined() && node_->needs_gradient; }
  bool has_gradient() const { return defined() && node_->gradient_is_written; }
  MatrixView<const T> gradient() const {
    M2ST_CHECK(has_gradient(), "variable: no gradient has reached it");
    return node_->gradient;
  }
  // For a backward that changes the gradient of its own op's result on the way to its inputs'.
  MatrixView<T> spent_gradient() const {
    M2ST_CHECK(has_gradient(), "variable: no gradient has reached it");
    return node_->gradient;
  }

  // Memory for the gradient and whether to overwrite it; the caller must write all of it.
  GradientTarget<T> gradient_target(MemoryPool& pool) const {
    if (node_->gradient_is_written) return {node_->gradient, Accumulate::kAdd};
    if (!node_->gradient_is_external) {
      node_->owned_gradient = Matrix<T>(pool, rows(), cols());
      node_->gradient = node_->owned_gradient.view();
    }
    node_->gradient_is_written = true;
    return {node_->gradient, Accumulate::kOverwrite};
  }
  // The same for an op that can turn the gradient of its result, `from`, into that of its input in
  // place: when this is the first writer it gets the memory of `from` with its content, and the two
  // views are one.
  GradientTarget<T> gradient_target_in_place(MemoryPool& pool, const Variable& from) const {
    const bool possible = !node_->gradient_is_written && !node_->gradient_is_external &&
                          !from.node_->gradient_is_external && rows() == from.rows() &&
                          cols() == from.cols();
    if (!possible) return gradient_target(pool);
    node_->owned_gradient = std::move(from.node_->owned_gradient);
    node_->gradient = node_->owned_gradient.view();
    node_->gradient_is_written = true;
    return {node_->gradient, Accumulate::kOverwrite};
  }
  // For the next step: a parameter's gradient counts as unwritten again.
  void forget_gradient() const { node_->gradient_is_written = false; }

  // The value's memory, for an op that overwrites it; later reads of the value here fail. Only for
  // values that no recorded backward needs.
  Matrix<T> take_value() const {
    M2ST_CHECK(!node_->value_is_taken && node_->owned_value.size() == node_->value.size(),
               "variable: an in-place op needs a value that the variable owns");
    node_->value_is_taken = true;
    return std::move(node_->owned_value);
  }
  // The same of a value that is not read again: its memory goes back to the pool.
  void drop_value() const { static_cast<void>(take_value()); }

 private:
  struct Node {
    MatrixView<const T> value;  // keeps its shape when the value is taken
    MatrixView<T> gradient;
    Matrix<T> owned_value;
    Matrix<T> owned_gradient;
    bool needs_gradient = false;
    bool gradient_is_written = false;
    bool gradient_is_external = false;
    bool value_is_taken = false;
  };

  std::shared_ptr<Node> node_;
};

// A loss: one double on the host, whatever T the network is computed in.
class Scalar {
 public:
  Scalar() : Scalar(0.0) {}
  explicit Scalar(double value) : node_(std::make_shared<Node>()) { node_->value = value; }

  double value() const { return node_->value; }
  double gradient() const { return node_->gradient; }
  void add_gradient(double gradient) const { node_->gradient += gradient; }

 private:
  struct Node {
    double value = 0;
    double gradient = 0;
  };

  std::shared_ptr<Node> node_;
};

}  // namespace m2st::autograd
