// The register tile of a matrix product: kRows × kCols sums held in vector registers while the
// packed strips stream by. Packed operands are zero-padded, so the tile never looks at edges; a
// tile one vector wide saves half the work on a last strip that is narrow.
#pragma once

#include <cstdint>

#include "kernels/cpu/gemm_entries.h"
#include "kernels/cpu/vector_bytes.h"

namespace m2st::kernels {

// 28 sums, 2 columns' vectors and a broadcast of 32 registers; or 12, 2 and 1 of 16.
inline constexpr int kTileRows = kVectorBytes == 64 ? 14 : 6;

// A tile of fewer than kTileRows rows is for the last ones of a matrix: it reads strips of the same
// height, and leaves out the multiplications by their padding.
template <class Entries, int Rows, int Vectors>
struct GemmTile {
  using T = typename Entries::Result;
  using Packed = typename Entries::Packed;
  using Sums = typename Entries::Sums;
  static constexpr int kLanes = Vector<T>::kLanes;
  static constexpr int kRows = Rows;
  static constexpr int kCols = Vectors * kLanes;

  Sums sums[kRows][Vectors];

  // sums = Σ_p a[p, 0..kRows) ⊗ b[p, 0..kCols) over `depth` entries of a packed strip of a and of a
  // strip of b whose rows lie `step_b` entries apart.
  __attribute__((always_inline)) void multiply(std::int64_t depth, const Packed* a, const Packed* b,
                                               std::int64_t step_b) {
    Sums local[kRows][Vectors] = {};
    for (std::int64_t p = 0; p < depth; ++p) {
      typename Vector<Packed>::Type row[Vectors];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) row[v] = Vector<Packed>::load(b + v * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v) local[i][v] = Entries::add(local[i][v], a[i], row[v]);
      }
      a += kTileRows;
      b += step_b;
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sums[i][v] = local[i][v];
    }
  }

  // Asks for the target's lines while the sums are still being made.
  static void prefetch(const T* out, std::int64_t rows, std::int64_t stride) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (int v = 0; v < Vectors; ++v) __builtin_prefetch(out + i * stride + v * kLanes, 1);
    }
  }

  // out[i, j] = alpha · sums + beta · out for the whole tile, in registers; `stride` elements lie
  // between rows of out.
  __attribute__((always_inline)) void store_whole(T alpha, T beta, T* out,
                                                  std::int64_t stride) const {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        T* target = out + i * stride + v * kLanes;
        const Sums product = alpha * sums[i][v];
        const Sums whole = beta == T(0) ? product : product + beta * Vector<T>::load(target);
        Vector<T>::store(whole, target);
      }
    }
  }

  // The same for the `rows` × `cols` corner that exists.
  void store(T alpha, T beta, std::int64_t rows, std::int64_t cols, T* out,
             std::int64_t stride) const {
    for (std::int64_t i = 0; i < rows; ++i) {
      const T* source = reinterpret_cast<const T*>(sums[i]);
      T* target = out + i * stride;
      if (beta == T(0)) {
        for (std::int64_t j = 0; j < cols; ++j) target[j] = alpha * source[j];
      } else {
        for (std::int64_t j = 0; j < cols; ++j) target[j] = alpha * source[j] + beta * target[j];
      }
    }
  }
};

}  // namespace m2st::kernels
