// Many matrices of one shape side by side, for kernels that do the same small step for each: a view
// of them or of one block of each, and their owner. Rows of a block need not be next to one
// another.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/view.h"

namespace m2st {

template <class T>
struct BatchView {
  T* data = nullptr;
  std::int64_t count = 0;  // of matrices
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t row_stride = 0;
  std::int64_t member_stride = 0;

  std::int64_t size() const { return count * rows * cols; }
  // From the first entry to behind the last, what lies between rows included.
  std::int64_t reach() const {
    return size() == 0 ? 0 : (count - 1) * member_stride + (rows - 1) * row_stride + cols;
  }
  bool whole_rows() const { return row_stride == cols; }
  // All entries one after the other.
  bool contiguous() const { return whole_rows() && (count == 1 || member_stride == rows * cols); }
  BatchView member_range(std::int64_t first, std::int64_t members) const {
    return {data + first * member_stride, members, rows, cols, row_stride, member_stride};
  }
  BatchView columns(std::int64_t first, std::int64_t width) const {
    return {data + first, count, rows, width, row_stride, member_stride};
  }
  BatchView slice(std::int64_t first, std::int64_t height) const {
    return {data + first * row_stride, count, height, cols, row_stride, member_stride};
  }
  // Of whole rows only.
  MatrixView<T> member(std::int64_t i) const { return {data + i * member_stride, rows, cols}; }
  // Of contiguous batches only.
  Span<T> span() const { return {data, static_cast<std::size_t>(size())}; }
  operator BatchView<const T>() const requires(!std::is_const_v<T>) {
    return {data, count, rows, cols, row_stride, member_stride};
  }
};

// A matrix as a batch of one.
template <class T>
BatchView<T> batch_of(MatrixView<T> x) {
  return {x.data, 1, x.rows, x.cols, x.cols, x.rows * x.cols};
}

template <class T>
class Batch {
 public:
  Batch() = default;
  Batch(MemoryPool& pool, std::int64_t count, std::int64_t rows, std::int64_t cols)
      : storage_(pool, count * rows, cols), count_(count), rows_(rows) {}
  // A batch of one.
  explicit Batch(Matrix<T> matrix)
      : storage_(std::move(matrix)), count_(1), rows_(storage_.rows()) {}

  std::int64_t count() const { return count_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return storage_.cols(); }
  bool empty() const { return storage_.empty(); }
  T* data() { return storage_.data(); }
  const T* data() const { return storage_.data(); }
  Span<T> span() { return storage_.span(); }
  Span<const T> span() const { return storage_.span(); }
  BatchView<T> view() { return {data(), count_, rows_, cols(), cols(), rows_ * cols()}; }
  BatchView<const T> view() const {
    return {data(), count_, rows_, cols(), cols(), rows_ * cols()};
  }
  MatrixView<T> member(std::int64_t i) { return view().member(i); }
  MatrixView<const T> member(std::int64_t i) const { return view().member(i); }
  // The members one below the other.
  MatrixView<T> stacked() { return storage_.view(); }
  MatrixView<const T> stacked() const { return storage_.view(); }

 private:
  Matrix<T> storage_;
  std::int64_t count_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace m2st
