// Nearest centres by differences, ‖x − c‖² = Σ (x − c)², not by the expanded square: twice the
// arithmetic, still faster than memory brings the cells, and no cancellation can flip a label.
#include "kernels/assign.h"

#include <algorithm>
#include <limits>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/cpu/vector_bytes.h"

namespace m2st::kernels {

namespace {

// 4 × 6 sums, 4 centres and a value: 29 of 32 registers; or 2 × 4 and what they need: 12 of 16.
constexpr int kPanelVectors = kVectorBytes == 64 ? 4 : 2;
constexpr int kPanelRows = kVectorBytes == 64 ? 6 : 4;
constexpr std::int64_t kAssignGrain = 96 * 4;  // rows; a multiple of either tile
constexpr std::int64_t kSumGrain = 2048;

template <class T>
struct Lanes {
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
  static constexpr int kCount = kVectorBytes / static_cast<int>(sizeof(T));
};

// Centres as panels of whole vectors, one after the other: panel p, dimension c, centre within.
// Places past the last centre hold zeros and are never looked at.
template <class T>
struct PackedCentres {
  PackedCentres(CpuContext& context, MatrixView<const T> centres)
      : vectors((centres.rows + Lanes<T>::kCount - 1) / Lanes<T>::kCount),
        dimensions(centres.cols),
        values(context.pool(), vectors * Lanes<T>::kCount * std::max<std::int64_t>(dimensions, 1)) {
    std::fill(values.span().begin(), values.span().end(), T(0));
    for (std::int64_t first = 0; first < vectors; first += kPanelVectors) {
      const std::int64_t width =
          std::min<std::int64_t>(kPanelVectors, vectors - first) * Lanes<T>::kCount;
      const std::int64_t begin = first * Lanes<T>::kCount;
      T* panel = values.data() + begin * dimensions;
      for (std::int64_t k = begin; k < std::min(begin + width, centres.rows); ++k) {
        for (std::int64_t c = 0; c < dimensions; ++c) panel[c * width + k - begin] = centres(k, c);
      }
    }
  }
  const T* panel(std::int64_t first_vector) const {
    return values.data() + first_vector * Lanes<T>::kCount * dimensions;
  }

  std::int64_t vectors;
  std::int64_t dimensions;
  Array<T> values;
};

// Squared distances of Rows rows to the centres of one panel of Width vectors.
template <class T, int Rows, int Width>
void tile_distances(const T* x, std::int64_t dimensions, const T* panel,
                    T (&out)[kPanelRows][kPanelVectors * Lanes<T>::kCount]) {
  using Vector = typename Lanes<T>::Vector;
  Vector sums[Rows][Width] = {};
  for (std::int64_t c = 0; c < dimensions; ++c) {
    Vector centre[Width];
    __builtin_memcpy(centre, panel + c * Width * Lanes<T>::kCount, sizeof(centre));
    for (int r = 0; r < Rows; ++r) {
      const T value = x[r * dimensions + c];
      for (int v = 0; v < Width; ++v) {
        const Vector difference = value - centre[v];
        sums[r][v] += difference * difference;
      }
    }
  }
  for (int r = 0; r < Rows; ++r) __builtin_memcpy(out[r], sums[r], sizeof(sums[r]));
}

// tile_distances for a panel width known at run time; narrower panels end the list of centres.
template <class T, int Rows, int Width>
void tile_distances_of(std::int64_t width, const T* x, std::int64_t dimensions, const T* panel,
                       T (&out)[kPanelRows][kPanelVectors * Lanes<T>::kCount]) {
  if (width == Width) {
    tile_distances<T, Rows, Width>(x, dimensions, panel, out);
  } else if constexpr (Width > 1) {
    tile_distances_of<T, Rows, Width - 1>(width, x, dimensions, panel, out);
  }
}

// Calls use(row, first centre, count, distances) for Rows rows against panel after panel.
template <class T, int Rows, class Use>
void for_panels(const PackedCentres<T>& packed, std::int64_t centres, const T* x, Use&& use) {
  T distances[kPanelRows][kPanelVectors * Lanes<T>::kCount];
  for (std::int64_t first = 0; first < packed.vectors; first += kPanelVectors) {
    const std::int64_t width = std::min<std::int64_t>(kPanelVectors, packed.vectors - first);
    tile_distances_of<T, Rows, kPanelVectors>(width, x, packed.dimensions, packed.panel(first),
                                              distances);
    const std::int64_t begin = first * Lanes<T>::kCount;
    const std::int64_t count = std::min(width * Lanes<T>::kCount, centres - begin);
    for (int r = 0; r < Rows; ++r) use(r, begin, count, distances[r]);
  }
}

// for_panels over all rows of x, with row numbers in x.
template <class T, class Use>
void for_distances(CpuContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                   Use&& use) {
  const PackedCentres<T> packed(context, centres);
  parallel_for(context, x.rows, kAssignGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t n = begin;
    const auto use_row = [&](int r, std::int64_t first, std::int64_t count, const T* distances) {
      use(n + r, first, count, distances);
    };
    for (; n + kPanelRows <= end; n += kPanelRows) {
      for_panels<T, kPanelRows>(packed, centres.rows, x.data + n * x.cols, use_row);
    }
    for (; n < end; ++n) for_panels<T, 1>(packed, centres.rows, x.data + n * x.cols, use_row);
  });
}

}  // namespace

template <class T>
void assign_nearest(CpuContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                    Span<std::int32_t> labels, Span<T> distances) {
  M2ST_CHECK(x.cols == centres.cols, "assign_nearest: columns of the centres (got ", centres.cols,
             ", need ", x.cols, ")");
  M2ST_CHECK(static_cast<std::int64_t>(labels.size()) == x.rows &&
                 static_cast<std::int64_t>(distances.size()) == x.rows,
             "assign_nearest: sizes of labels and distances (got ", labels.size(), " and ",
             distances.size(), ", need ", x.rows, ")");
  M2ST_CHECK(x.rows == 0 || centres.rows > 0, "assign_nearest: no centres");
  std::fill(labels.begin(), labels.end(), 0);
  std::fill(distances.begin(), distances.end(), std::numeric_limits<T>::infinity());
  for_distances(context, x, centres,
                [&](std::int64_t n, std::int64_t first, std::int64_t count, const T* candidates) {
                  std::int32_t label = labels[n];
                  T best = distances[n];
                  for (std::int64_t k = 0; k < count; ++k) {
                    if (candidates[k] < best) {
                      best = candidates[k];
                      label = static_cast<std::int32_t>(first + k);
                    }
                  }
                  labels[n] = label;
                  distances[n] = best;
                });
}

template <class T>
void squared_distances(CpuContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                       MatrixView<T> distances) {
  M2ST_CHECK(x.cols == centres.cols, "squared_distances: columns of the centres (got ",
             centres.cols, ", need ", x.cols, ")");
  M2ST_CHECK(distances.rows == x.rows && distances.cols == centres.rows,
             "squared_distances: shape of distances (got ", distances.rows, " x ", distances.cols,
             ", need ", x.rows, " x ", centres.rows, ")");
  for_distances(context, x, centres,
                [&](std::int64_t n, std::int64_t first, std::int64_t count, const T* values) {
                  std::copy_n(values, count, distances.data + n * distances.cols + first);
                });
}

template <class T>
void sums_by_label(CpuContext& context, MatrixView<const T> x, Span<const std::int32_t> labels,
                   MatrixView<double> sums, Span<std::int64_t> counts) {
  const std::int64_t clusters = sums.rows, cols = sums.cols;
  M2ST_CHECK(cols == x.cols, "sums_by_label: columns of sums (got ", cols, ", need ", x.cols, ")");
  M2ST_CHECK(static_cast<std::int64_t>(labels.size()) == x.rows,
             "sums_by_label: size of labels (got ", labels.size(), ", need ", x.rows, ")");
  M2ST_CHECK(static_cast<std::int64_t>(counts.size()) == clusters,
             "sums_by_label: size of counts (got ", counts.size(), ", need ", clusters, ")");
  // A chunk has sums of its own; at least four rows a cluster keep them below a quarter of x.
  const std::int64_t grain = std::max(kSumGrain, 4 * clusters);
  const std::int64_t chunks = chunk_count(x.rows, grain);
  Matrix<double> part_sums(context.pool(), chunks, clusters * cols);
  Matrix<std::int64_t> part_counts(context.pool(), chunks, clusters);
  parallel_for(context, x.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    double* sum = part_sums.data() + begin / grain * clusters * cols;
    std::int64_t* count = part_counts.data() + begin / grain * clusters;
    std::fill(sum, sum + clusters * cols, 0.0);
    std::fill(count, count + clusters, 0);
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t k = labels[n];
      if (k < 0) continue;
      M2ST_CHECK(k < clusters, "sums_by_label: label (got ", k, ", need below ", clusters, ")");
      ++count[k];
      double* row_sum = sum + k * cols;
      const T* row = x.data + n * cols;
      for (std::int64_t c = 0; c < cols; ++c) row_sum[c] += static_cast<double>(row[c]);
    }
  });
  parallel_for(context, clusters, 8, [&](std::int64_t begin, std::int64_t end) {
    std::fill(sums.data + begin * cols, sums.data + end * cols, 0.0);
    std::fill(&counts[begin], &counts[begin] + (end - begin), 0);
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const double* part = part_sums.data() + chunk * clusters * cols;
      for (std::int64_t i = begin * cols; i < end * cols; ++i) sums.data[i] += part[i];
      for (std::int64_t k = begin; k < end; ++k) counts[k] += part_counts(chunk, k);
    }
  });
}

#define INSTANTIATE(T)                                                                       \
  template void assign_nearest<T>(CpuContext&, MatrixView<const T>, MatrixView<const T>,     \
                                  Span<std::int32_t>, Span<T>);                              \
  template void squared_distances<T>(CpuContext&, MatrixView<const T>, MatrixView<const T>,  \
                                     MatrixView<T>);                                         \
  template void sums_by_label<T>(CpuContext&, MatrixView<const T>, Span<const std::int32_t>, \
                                 MatrixView<double>, Span<std::int64_t>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
