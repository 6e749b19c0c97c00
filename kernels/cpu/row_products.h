// The two inner loops of everything on edges: a weighted sum of gathered rows, and the dot products
// of gathered rows with one vector. Sums of products keep 64 bytes of lanes whatever the width of a
// register, so their order depends on width and count alone; widths need not be multiples of
// anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/cpu/vector_bytes.h"

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

template <class T, std::size_t Lanes>
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

// kLanes<T> sums, in as many registers as they take.
template <class T>
struct LaneSums {
  static constexpr int kRegisters = 64 / kVectorBytes;
  static constexpr int kRegisterLanes = kLanes<T> / kRegisters;
  using P = Pack<T, kRegisterLanes>;

  typename P::type part[kRegisters] = {};

  void add_products(const T* x, const T* y) {
    for (int i = 0; i < kRegisters; ++i) {
      part[i] += P::load(x + i * kRegisterLanes) * P::load(y + i * kRegisterLanes);
    }
  }
  LaneSums operator+(const LaneSums& other) const {
    LaneSums sum = *this;
    for (int i = 0; i < kRegisters; ++i) sum.part[i] += other.part[i];
    return sum;
  }
  // The upper half of the lanes added to the lower.
  auto half() const {
    if constexpr (kRegisters == 2) {
      return part[0] + part[1];
    } else {
      return half_sum(part[0], std::make_index_sequence<kLanes<T> / 2>());
    }
  }
};

// Calls body(column, lanes, vectors) with constants over [0, width): blocks of 256 bytes in
// registers, then ever smaller ones, so that a width like 300 ends in no scalar loop.
template <class T, class Body>
inline void for_each_block(std::int64_t width, Body&& body) {
  constexpr int kFull = kVectorBytes / sizeof(T);
  std::int64_t column = 0;
  const auto blocks = [&]<int Lanes, int Vectors>() {
    for (; column + Lanes * Vectors <= width; column += Lanes * Vectors) {
      body.template operator()<Lanes, Vectors>(column);
    }
  };
  blocks.template operator()<kFull, 256 / kVectorBytes>();
  blocks.template operator()<kFull, 128 / kVectorBytes>();
  blocks.template operator()<kFull, 64 / kVectorBytes>();
  blocks.template operator()<32 / sizeof(T), 1>();
  blocks.template operator()<16 / sizeof(T), 1>();
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

// The same sum for G heads at once, so that every row is loaded once for all of them:
// sums[g · width + f] += Σ_k weights[k · G + g] · row k [f].
template <int G, class T>
inline void add_rows_of_heads(RowSet<T> rows, const T* weights, std::int64_t width, T* sums) {
  for_each_block<T>(width, [&]<int Lanes, int Vectors>(std::int64_t column) {
    using P = Pack<T, Lanes>;
    typename P::type total[G][Vectors];
    for (int g = 0; g < G; ++g) {
      for (int v = 0; v < Vectors; ++v) {
        total[g][v] = P::load(sums + g * width + column + v * Lanes);
      }
    }
    for (std::int64_t k = 0; k < rows.count; ++k) {
      const T* row = rows.row(k) + column;
      typename P::type values[Vectors];
      for (int v = 0; v < Vectors; ++v) values[v] = P::load(row + v * Lanes);
      for (int g = 0; g < G; ++g) {
        for (int v = 0; v < Vectors; ++v) total[g][v] += weights[k * G + g] * values[v];
      }
    }
    for (int g = 0; g < G; ++g) {
      for (int v = 0; v < Vectors; ++v)
        P::store(total[g][v], sums + g * width + column + v * Lanes);
    }
  });
}

// The four sums of four vectors' lanes. Pairs are brought side by side before they are added, which
// takes half the steps of summing each vector on its own.
template <class T>
inline void four_lane_sums(const typename Pack<T, kLanes<T> / 4>::type (&x)[4], T (&sums)[4]) {
  if constexpr (kLanes<T> / 4 == 4) {
    const auto first = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5) +
                       __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    const auto second = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5) +
                        __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    Pack<T, 4>::store(__builtin_shufflevector(first, second, 0, 1, 4, 5) +
                          __builtin_shufflevector(first, second, 2, 3, 6, 7),
                      sums);
  } else {
    for (int r = 0; r < 4; r += 2) {
      Pack<T, 2>::store(__builtin_shufflevector(x[r], x[r + 1], 0, 2) +
                            __builtin_shufflevector(x[r], x[r + 1], 1, 3),
                        sums + r);
    }
  }
}

// dots[r] = Σ_f row[r][f] · vector[f] for four rows at once, so that `vector` is loaded once.
template <class T>
inline void dot_four_rows(const T* const (&row)[4], const T* vector, std::int64_t width,
                          T (&dots)[4]) {
  constexpr int kFull = kLanes<T>;
  constexpr int kHalf = kFull / 2;
  constexpr int kQuarter = kFull / 4;
  LaneSums<T> full[4];
  std::int64_t f = 0;
  for (; f + kFull <= width; f += kFull) {
    for (int r = 0; r < 4; ++r) full[r].add_products(row[r] + f, vector + f);
  }
  typename Pack<T, kHalf>::type half[4];
  for (int r = 0; r < 4; ++r) half[r] = full[r].half();
  if (f + kHalf <= width) {
    const auto v = Pack<T, kHalf>::load(vector + f);
    for (int r = 0; r < 4; ++r) half[r] += Pack<T, kHalf>::load(row[r] + f) * v;
    f += kHalf;
  }
  typename Pack<T, kQuarter>::type quarter[4];
  for (int r = 0; r < 4; ++r) {
    quarter[r] = half_sum(half[r], std::make_index_sequence<kQuarter>());
  }
  if (f + kQuarter <= width) {
    const auto v = Pack<T, kQuarter>::load(vector + f);
    for (int r = 0; r < 4; ++r) quarter[r] += Pack<T, kQuarter>::load(row[r] + f) * v;
    f += kQuarter;
  }
  four_lane_sums<T>(quarter, dots);
  for (; f < width; ++f) {
    for (int r = 0; r < 4; ++r) dots[r] += row[r][f] * vector[f];
  }
}

// dots[k · dot_stride] = Σ_f row k [f] · vector[f].
template <class T>
inline void dot_rows(RowSet<T> rows, const T* vector, std::int64_t width, T* dots,
                     std::int64_t dot_stride) {
  const std::int64_t last = rows.count - 1;
  for (std::int64_t first = 0; first <= last; first += 4) {
    const T* row[4];
    // The last row again where there is no fourth.
    for (int r = 0; r < 4; ++r) row[r] = rows.row(first + r < last ? first + r : last);
    T values[4];
    dot_four_rows<T>(row, vector, width, values);
    for (int r = 0; r < 4 && first + r <= last; ++r) dots[(first + r) * dot_stride] = values[r];
  }
}

template <class T>
inline T dot(const T* x, const T* y, std::int64_t width) {
  constexpr int kFull = kLanes<T>;
  LaneSums<T> total[4];
  std::int64_t f = 0;
  for (; f + 4 * kFull <= width; f += 4 * kFull) {
    for (int v = 0; v < 4; ++v) total[v].add_products(x + f + v * kFull, y + f + v * kFull);
  }
  for (; f + kFull <= width; f += kFull) total[0].add_products(x + f, y + f);
  const auto half = ((total[0] + total[1]) + (total[2] + total[3])).half();
  const auto quarter = half_sum(half, std::make_index_sequence<kFull / 4>());
  T sum = 0;
  for (int lane = 0; lane < kFull / 4; ++lane) sum += quarter[lane];
  for (; f < width; ++f) sum += x[f] * y[f];
  return sum;
}

// y[f] += factor · x[f].
template <class T>
inline void add_scaled(T factor, const T* __restrict x, std::int64_t width, T* __restrict y) {
  for (std::int64_t f = 0; f < width; ++f) y[f] += factor * x[f];
}

}  // namespace m2st::kernels
