// Array and Matrix: move-only owners of pooled memory, uninitialised unless said otherwise.
// Memory belongs to the pool's device: host code reads it only when the context is the CPU's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "engine/check.h"
#include "engine/memory_pool.h"
#include "engine/view.h"

namespace m2st {

template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  Array(MemoryPool& pool, std::int64_t size)
      : pool_(&pool), data_(static_cast<T*>(pool.allocate(bytes_of(size)))), size_(size) {}
  ~Array() { reset(); }
  Array(Array&& other) noexcept
      : pool_(other.pool_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Array& operator=(Array&& other) noexcept {
    if (this != &other) {
      reset();
      pool_ = other.pool_;
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  void reset() {
    if (data_ != nullptr) pool_->release(data_, static_cast<std::size_t>(size_) * sizeof(T));
    data_ = nullptr;
    size_ = 0;
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Span<T> span() { return {data_, static_cast<std::size_t>(size_)}; }
  Span<const T> span() const { return {data_, static_cast<std::size_t>(size_)}; }
  // Host arrays only.
  T& operator[](std::int64_t i) { return data_[i]; }
  const T& operator[](std::int64_t i) const { return data_[i]; }

 private:
  // Sizes come from the user's data: one too large is out of memory, never a wrapped product.
  static std::size_t bytes_of(std::int64_t size) {
    M2ST_CHECK(size >= 0, "Array: size is ", size, ", needs at least 0");
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::size_t>(size), sizeof(T), &bytes)) {
      return static_cast<std::size_t>(-1);
    }
    return bytes;
  }

  MemoryPool* pool_ = nullptr;
  T* data_ = nullptr;
  std::int64_t size_ = 0;
};

template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(MemoryPool& pool, std::int64_t rows, std::int64_t cols)
      : storage_(pool, entries(rows, cols)), rows_(rows), cols_(cols) {}

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t size() const { return rows_ * cols_; }
  bool empty() const { return size() == 0; }
  T* data() { return storage_.data(); }
  const T* data() const { return storage_.data(); }
  Span<T> span() { return storage_.span(); }
  Span<const T> span() const { return storage_.span(); }
  MatrixView<T> view() { return {data(), rows_, cols_}; }
  MatrixView<const T> view() const { return {data(), rows_, cols_}; }
  // Host matrices only.
  T& operator()(std::int64_t i, std::int64_t j) { return storage_[i * cols_ + j]; }
  const T& operator()(std::int64_t i, std::int64_t j) const { return storage_[i * cols_ + j]; }
  void reset() { *this = Matrix(); }

 private:
  static std::int64_t entries(std::int64_t rows, std::int64_t cols) {
    M2ST_CHECK(rows >= 0 && cols >= 0, "Matrix: shape is ", rows, " x ", cols);
    std::int64_t product = 0;
    const bool overflow = __builtin_mul_overflow(rows, cols, &product);
    return overflow ? std::numeric_limits<std::int64_t>::max() : product;
  }

  Array<T> storage_;
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
};

}  // namespace m2st
