// One member after the other: on the CPU a batch has one member wherever speed matters.
#include "kernels/batch_blocks.h"

#include <cmath>
#include <limits>

#include "kernels/batch_shapes.h"

namespace m2st::kernels {

namespace {

// use(entry of `to`, factor times what goes there) for all entries.
template <class T, class Use>
void for_entries(Layout layout, T factor, Span<const T> factors, BatchView<const T> from,
                 BatchView<T> to, const Use& use) {
  for (std::int64_t s = 0; s < to.count; ++s) {
    const T of_member = factors.empty() ? factor : factor * factors[static_cast<std::size_t>(s)];
    const T* source = from.data + s * from.member_stride;
    T* target = to.data + s * to.member_stride;
    for (std::int64_t i = 0; i < to.rows; ++i, target += to.row_stride) {
      if (layout == Layout::kPlain) {
        const T* row = source + i * from.row_stride;
        for (std::int64_t j = 0; j < to.cols; ++j) use(target[j], of_member * row[j]);
      } else {
        const T* column = source + i;
        for (std::int64_t j = 0; j < to.cols; ++j) {
          use(target[j], of_member * column[j * from.row_stride]);
        }
      }
    }
  }
}

// Norms of the rows of map · Z follow from the Gram matrix.
template <class T>
void scale_to_unit(Span<T> map, Span<T> seen) {
  T square = 0, size = 0;
  for (std::size_t j = 0; j < map.size(); ++j) {
    square += map[j] * seen[j];
    size += std::abs(map[j] * seen[j]);
  }
  const T rounding = static_cast<T>(map.size()) * std::numeric_limits<T>::epsilon() * size;
  const T factor = square > rounding ? 1 / std::sqrt(square) : T(0);
  for (T& value : map) value *= factor;
  for (T& value : seen) value *= factor;
}

}  // namespace

template <class T>
void copy_block(CpuContext&, Layout layout, T factor, Span<const T> factors,
                BatchView<const T> from, BatchView<T> to, Accumulate accumulate) {
  check_copy_block<T>(layout, factors, from, to);
  if (accumulate == Accumulate::kAdd) {
    for_entries(layout, factor, factors, from, to, [](T& out, T value) { out += value; });
  } else {
    for_entries(layout, factor, factors, from, to, [](T& out, T value) { out = value; });
  }
}

template <class T>
void add_to_diagonals(CpuContext&, Span<const T> amounts, BatchView<T> x) {
  check_square_batch<T>("add_to_diagonals", x, amounts.size());
  for (std::int64_t s = 0; s < x.count; ++s) {
    for (std::int64_t i = 0; i < x.rows; ++i) {
      x.data[s * x.member_stride + i * (x.row_stride + 1)] += amounts[static_cast<std::size_t>(s)];
    }
  }
}

template <class T>
void traces(CpuContext&, BatchView<const T> x, Span<T> traces) {
  check_square_batch<T>("traces", x, traces.size());
  for (std::int64_t s = 0; s < x.count; ++s) {
    T sum = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) {
      sum += x.data[s * x.member_stride + i * (x.row_stride + 1)];
    }
    traces[static_cast<std::size_t>(s)] = sum;
  }
}

template <class T>
void make_finite(CpuContext&, T infinity, Span<T> x) {
  for (T& value : x) {
    if (std::isnan(value)) value = 0;
    if (std::isinf(value)) value = std::copysign(infinity, value);
  }
}

template <class T>
void unit_rows(CpuContext&, BatchView<T> map, BatchView<T> seen) {
  check_unit_rows<T>(map, seen);
  const MatrixView<T> maps{map.data, map.count * map.rows, map.cols};
  const MatrixView<T> products{seen.data, maps.rows, maps.cols};
  for (std::int64_t i = 0; i < maps.rows; ++i) scale_to_unit(maps.row(i), products.row(i));
}

#define INSTANTIATE(T)                                                                   \
  template void copy_block<T>(CpuContext&, Layout, T, Span<const T>, BatchView<const T>, \
                              BatchView<T>, Accumulate);                                 \
  template void add_to_diagonals<T>(CpuContext&, Span<const T>, BatchView<T>);           \
  template void traces<T>(CpuContext&, BatchView<const T>, Span<T>);                     \
  template void make_finite<T>(CpuContext&, T, Span<T>);                                 \
  template void unit_rows<T>(CpuContext&, BatchView<T>, BatchView<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
