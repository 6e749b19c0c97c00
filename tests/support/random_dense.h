// Random matrices for tests: keyed by seed, entry by entry, so that a failure can be repeated.
#pragma once

#include <cstdint>

#include "engine/random.h"
#include "engine/view.h"
#include "tests/reference/dense.h"

namespace m2st::test {

// Standard normal entries.
template <class T>
reference::Dense<T> random_dense(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  reference::Dense<T> out(rows, cols);
  const RandomKey key{seed, stream_of(Purpose::kTest, 0), 0};
  for (std::size_t i = 0; i < out.values.size(); ++i) {
    out.values[i] = static_cast<T>(random_normal(key, static_cast<std::uint32_t>(i)));
  }
  return out;
}

template <class To, class From>
reference::Dense<To> converted(const reference::Dense<From>& a) {
  reference::Dense<To> out(a.rows, a.cols);
  for (std::size_t i = 0; i < a.values.size(); ++i) out.values[i] = static_cast<To>(a.values[i]);
  return out;
}

template <class T>
MatrixView<const T> view_of(const reference::Dense<T>& a) {
  return {a.values.data(), a.rows, a.cols};
}
template <class T>
MatrixView<T> view_of(reference::Dense<T>& a) {
  return {a.values.data(), a.rows, a.cols};
}

}  // namespace m2st::test
