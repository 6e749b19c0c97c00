// The two inner loops of everything on edges: a weighted sum of gathered rows, and the dot products
// of gathered rows with one vector. Written with vectors of 64 bytes, which the compiler splits
// where the processor has narrower ones; widths need not be multiples of anything. The order of
// every sum depends on width and count alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace m2st::kernels {

// Row k is base + index[k] · stride.
template <class T>
struct RowSet {
  const T* base;
  std::int64_t stride;
  const std::int32_t* index;
  std::int64_t count;

  const T* row(std::int64_t k) const { return base + index[k] * stride; }
};

template <class T, int Lanes>
struct Pack {
  typedef T type __attribute__((vector_size(Lanes * sizeof(T))));

  static type load(const T* from) {
    type value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static void store(type value, T* to) { std::memcpy(to, &value, sizeof value); }
};

template <class T>
inline constexpr int kLanes = 64 / sizeof(T);

template <class Vector, std::size_t... Lane>
inline auto half_sum(Vector value, std::index_sequence<Lane...>) {
  return __builtin_shufflevector(value, value, Lane...) +
         __builtin_shufflevector(value, value, (Lane + sizeof...(Lane))...);
}

// Calls body(column, lanes, vectors) with constants over [0, width): blocks of four vectors, then
// ever smaller ones, so that a width like 300 ends in no scalar loop.
template <class T, class Body>
inline void for_each_block(std::int64_t width, Body&& body) {
  constexpr int kFull = kLanes<T>;
  std::int64_t column = 0;
  const auto blocks = [&]<int Lanes, int Vectors>() {
    for (; column + Lanes * Vectors <= width; column += Lanes * Vectors) {
      body.template operator()<Lanes, Vectors>(column);
    }
  };
  blocks.template operator()<kFull, 4>();
  blocks.template operator()<kFull, 2>();
  blocks.template operator()<kFull, 1>();
  blocks.template operator()<kFull / 2, 1>();
  blocks.template operator()<kFull / 4, 1>();
  blocks.template operator()<1, 1>();
}

// sum[f] += Σ_k weights[k · weight_stride] · row k [f].
template <class T>
inline void add_weighted_rows(RowSet<T> rows, const T* weights, std::int64_t weight_stride,
                              std::int64_t width, T* sum) {
  for_each_block<T>(width, [&]<int Lanes, int Vectors>(std::int64_t column) {
    using P = Pack<T, Lanes>;
    typename P::type total[Vectors];
    for (int v = 0; v < Vectors; ++v) total[v] = P::load(sum + column + v * Lanes);
    for (std::int64_t k = 0; k < rows.count; ++k) {
      const T* row = rows.row(k) + column;
      const T weight = weights[k * weight_stride];
      for (int v = 0; v < Vectors; ++v) total[v] += weight * P::load(row + v * Lanes);
    }
    for (int v = 0; v < Vectors; ++v) P::store(total[v], sum + column + v * Lanes);
  });
}

// dots[r] = Σ_f row[r][f] · vector[f] for a few rows at once, so that `vector` is loaded once.
template <class T, int Rows>
inline void dot_some_rows(const T* const (&row)[Rows], const T* vector, std::int64_t width,
                          T (&dots)[Rows]) {
  constexpr int kFull = kLanes<T>;
  constexpr int kHalf = kFull / 2;
  constexpr int kQuarter = kFull / 4;
  typename Pack<T, kFull>::type full[Rows] = {};
  std::int64_t f = 0;
  for (; f + kFull <= width; f += kFull) {
    const auto v = Pack<T, kFull>::load(vector + f);
    for (int r = 0; r < Rows; ++r) full[r] += Pack<T, kFull>::load(row[r] + f) * v;
  }
  typename Pack<T, kHalf>::type half[Rows];
  for (int r = 0; r < Rows; ++r) half[r] = half_sum(full[r], std::make_index_sequence<kHalf>());
  if (f + kHalf <= width) {
    const auto v = Pack<T, kHalf>::load(vector + f);
    for (int r = 0; r < Rows; ++r) half[r] += Pack<T, kHalf>::load(row[r] + f) * v;
    f += kHalf;
  }
  typename Pack<T, kQuarter>::type quarter[Rows];
  for (int r = 0; r < Rows; ++r) {
    quarter[r] = half_sum(half[r], std::make_index_sequence<kQuarter>());
  }
  if (f + kQuarter <= width) {
    const auto v = Pack<T, kQuarter>::load(vector + f);
    for (int r = 0; r < Rows; ++r) quarter[r] += Pack<T, kQuarter>::load(row[r] + f) * v;
    f += kQuarter;
  }
  for (int r = 0; r < Rows; ++r) {
    T total = 0;
    for (int lane = 0; lane < kQuarter; ++lane) total += quarter[r][lane];
    for (std::int64_t rest = f; rest < width; ++rest) total += row[r][rest] * vector[rest];
    dots[r] = total;
  }
}

// dots[k · dot_stride] = Σ_f row k [f] · vector[f].
template <class T>
inline void dot_rows(RowSet<T> rows, const T* vector, std::int64_t width, T* dots,
                     std::int64_t dot_stride) {
  constexpr int kTogether = 4;
  for (std::int64_t first = 0; first < rows.count; first += kTogether) {
    const std::int64_t last = rows.count - 1;
    const T* row[kTogether];
    for (int r = 0; r < kTogether; ++r) {
      row[r] = rows.row(first + r < last ? first + r : last);  // the last one again at the end
    }
    T values[kTogether];
    dot_some_rows<T, kTogether>(row, vector, width, values);
    for (int r = 0; r < kTogether && first + r <= last; ++r) {
      dots[(first + r) * dot_stride] = values[r];
    }
  }
}

template <class T>
inline T dot(const T* x, const T* y, std::int64_t width) {
  const T* const row[1] = {x};
  T value[1];
  dot_some_rows<T, 1>(row, y, width, value);
  return value[0];
}

// y[f] += factor · x[f].
template <class T>
inline void add_scaled(T factor, const T* __restrict x, std::int64_t width, T* __restrict y) {
  for (std::int64_t f = 0; f < width; ++f) y[f] += factor * x[f];
}

}  // namespace m2st::kernels
