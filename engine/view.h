// Views: what kernels take and return. They own nothing and are passed by value.
// Row-major, contiguous, no strides; indices of nodes and edges' ends are 32-bit, offsets 64-bit.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

namespace m2st {

template <class T>
using Span = std::span<T>;

template <class T>
struct MatrixView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;

  std::int64_t size() const { return rows * cols; }
  Span<T> span() const { return {data, static_cast<std::size_t>(size())}; }
  Span<T> row(std::int64_t i) const { return {data + i * cols, static_cast<std::size_t>(cols)}; }
  T& operator()(std::int64_t i, std::int64_t j) const { return data[i * cols + j]; }
  // Rows [first, first + count) as a view of their own.
  MatrixView slice(std::int64_t first, std::int64_t count) const {
    return {data + first * cols, count, cols};
  }
  operator MatrixView<const T>() const requires(!std::is_const_v<T>) { return {data, rows, cols}; }
};

// A directed graph as CSR by destination: the in-edges of node i are offsets[i] .. offsets[i+1],
// sources[e] is the node the edge e comes from. Edge ids are positions in `sources`.
struct CsrView {
  Span<const std::int64_t> offsets;  // (N + 1)
  Span<const std::int32_t> sources;  // (E)

  std::int64_t nodes() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t edges() const { return static_cast<std::int64_t>(sources.size()); }
};

// The same edges grouped by source, for backward passes: the out-edges of node j are
// offsets[j] .. offsets[j+1]; edges[p] is the CSR edge id, destinations[p] where it goes.
struct TransposeView {
  Span<const std::int64_t> offsets;       // (N + 1)
  Span<const std::int32_t> destinations;  // (E)
  Span<const std::int64_t> edges;         // (E)
};

// `ids` are the global node ids that key randomness: results then do not depend on how nodes are
// ordered or partitioned inside the engine.
struct GraphView {
  CsrView in;
  TransposeView out;
  Span<const std::int32_t> ids;  // (N)

  std::int64_t nodes() const { return in.nodes(); }
  std::int64_t edges() const { return in.edges(); }
};

}  // namespace m2st
