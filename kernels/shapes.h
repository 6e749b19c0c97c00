// Shapes and options that callers must keep, on every backend: one message whichever was called.
// Those of the fused attention are in attention_shapes.h.
#pragma once

#include <cstdint>

#include "engine/check.h"
#include "engine/view.h"
#include "kernels/math/dropout.h"

namespace m2st::kernels {

template <class T>
void check_node_scores(const char* op, MatrixView<const T> projected, MatrixView<const T> attention,
                       MatrixView<const T> scores) {
  M2ST_CHECK(projected.cols == attention.size(), op, ": features are ", projected.cols,
             " wide, the attention vectors are ", attention.rows, " x ", attention.cols);
  M2ST_CHECK(scores.rows == projected.rows && scores.cols == attention.rows, op, ": scores are ",
             scores.rows, " x ", scores.cols, ", need ", projected.rows, " x ", attention.rows);
}

template <class T>
void check_loss_shapes(const char* op, MatrixView<const T> target, MatrixView<const T> output) {
  M2ST_CHECK(target.rows == output.rows && target.cols == output.cols, op, ": target is ",
             target.rows, " x ", target.cols, ", output is ", output.rows, " x ", output.cols);
}

template <class T>
void check_dropout_shapes(const char* op, std::int64_t rows, MatrixView<const T> x,
                          MatrixView<T> out) {
  M2ST_CHECK(x.rows == rows, op, ": x has ", x.rows, " rows, the graph or the ids have ", rows);
  M2ST_CHECK(out.rows == x.rows && out.cols == x.cols, op, ": out is ", out.rows, " x ", out.cols,
             ", x is ", x.rows, " x ", x.cols);
}

inline DropoutRule checked_dropout_rule(const char* op, double probability) {
  M2ST_CHECK(probability >= 0 && dropout_rule(probability).threshold < 65536, op,
             ": probability is ", probability, ", needs at least 0 and below 1");
  return dropout_rule(probability);
}

template <class T>
void check_system(const char* op, MatrixView<const T> a, MatrixView<const T> right_side,
                  MatrixView<T> solution) {
  M2ST_CHECK(a.rows == a.cols, op, ": a is not square (got ", a.rows, " x ", a.cols, ")");
  M2ST_CHECK(right_side.rows == a.rows, op, ": rows of the right side (got ", right_side.rows,
             ", need ", a.rows, ")");
  M2ST_CHECK(solution.rows == right_side.rows && solution.cols == right_side.cols, op,
             ": shape of the solution (got ", solution.rows, " x ", solution.cols, ", need ",
             right_side.rows, " x ", right_side.cols, ")");
}

}  // namespace m2st::kernels
