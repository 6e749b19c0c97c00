// Reductions on the CPU: chunks of constant length, each summed over fixed lanes in double.
#include "kernels/reduce.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "engine/check.h"
#include "kernels/cpu/column_sums.h"
#include "kernels/cpu/double_lanes.h"
#include "kernels/cpu/elementwise.h"

namespace m2st::kernels {

namespace {

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// The largest |x| as its bits: ordered as integers, NaN is above infinity, infinity above the rest.
template <class T>
BitsOf<T> largest_magnitude(CpuContext& context, Span<const T> x) {
  using Bits = BitsOf<T>;
  constexpr Bits kMagnitude = std::numeric_limits<Bits>::max() >> 1;
  const auto larger = [](Bits a, Bits b) { return std::max(a, b); };
  return parallel_reduce(
      context, static_cast<std::int64_t>(x.size()), kElementGrain, Bits{0},
      [&](std::int64_t begin, std::int64_t end) {
        Bits largest = 0;
        for (std::int64_t i = begin; i < end; ++i) {
          largest = larger(largest, std::bit_cast<Bits>(x[i]) & kMagnitude);
        }
        return largest;
      },
      larger);
}

template <class T>
void check_width(const char* op, MatrixView<const T> x, std::size_t outputs) {
  M2ST_CHECK(static_cast<std::int64_t>(outputs) == x.cols, op, ": output has ", outputs,
             " entries, x has ", x.cols, " columns");
}

// target[c] = pick(target[c], x[c]).
template <class T, class Pick>
void fold_row(std::int64_t cols, const T* x, T* __restrict__ target, const Pick& pick) {
  for (std::int64_t c = 0; c < cols; ++c) target[c] = pick(target[c], x[c]);
}

}  // namespace

template <class T>
double sum(CpuContext& context, Span<const T> x) {
  return parallel_reduce(
      context, static_cast<std::int64_t>(x.size()), kElementGrain, 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        return sum_terms(
            end - begin, [](DoubleLanes a) { return a; }, x.data() + begin);
      },
      [](double a, double b) { return a + b; });
}

template <class T>
double dot(CpuContext& context, Span<const T> x, Span<const T> y) {
  M2ST_CHECK(x.size() == y.size(), "dot: x has ", x.size(), " entries, y has ", y.size());
  return parallel_reduce(
      context, static_cast<std::int64_t>(x.size()), kElementGrain, 0.0,
      [&](std::int64_t begin, std::int64_t end) {
        return dot_of(end - begin, x.data() + begin, y.data() + begin);
      },
      [](double a, double b) { return a + b; });
}

template <class T>
double max_abs(CpuContext& context, Span<const T> x) {
  return std::bit_cast<T>(largest_magnitude<T>(context, x));
}

template <class T>
bool all_finite(CpuContext& context, Span<const T> x) {
  return largest_magnitude<T>(context, x) <
         std::bit_cast<BitsOf<T>>(std::numeric_limits<T>::infinity());
}

template <class T>
void column_sums(CpuContext& context, MatrixView<const T> x, Span<T> sums, Accumulate accumulate) {
  check_width("column_sums", x, sums.size());
  Array<double> totals(context.pool(), x.cols);
  sum_columns(
      context, x.rows, x.cols, [x](std::int64_t r) { return x.data + r * x.cols; },
      [](T value, std::int64_t) { return static_cast<double>(value); }, totals.data());
  write_range(0, x.cols, sums.data(), accumulate,
              [total = totals.data()](std::int64_t c) { return static_cast<T>(total[c]); });
}

template <class T>
void row_squared_norms(CpuContext& context, MatrixView<const T> x, Span<T> squares) {
  M2ST_CHECK(static_cast<std::int64_t>(squares.size()) == x.rows, "row_squared_norms: output has ",
             squares.size(), " entries, x has ", x.rows, " rows");
  parallel_for(context, x.rows, row_grain(x.cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      squares[r] = static_cast<T>(squares_of(x.cols, x.data + r * x.cols));
    }
  });
}

template <class T>
void column_min_max(CpuContext& context, MatrixView<const T> x, Span<T> minimum, Span<T> maximum) {
  check_width("column_min_max", x, minimum.size());
  check_width("column_min_max", x, maximum.size());
  M2ST_CHECK(x.rows > 0, "column_min_max: x has no rows, needs at least 1");
  const auto lower = [](T a, T b) { return b < a ? b : a; };
  const auto higher = [](T a, T b) { return b > a ? b : a; };
  const std::int64_t grain = block_rows(x.rows);
  const std::int64_t blocks = chunk_count(x.rows, grain);
  Matrix<T> lows(context.pool(), blocks, x.cols);
  Matrix<T> highs(context.pool(), blocks, x.cols);
  parallel_for(context, x.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    T* low = lows.data() + begin / grain * x.cols;
    T* high = highs.data() + begin / grain * x.cols;
    std::copy_n(x.data + begin * x.cols, x.cols, low);
    std::copy_n(x.data + begin * x.cols, x.cols, high);
    for (std::int64_t r = begin + 1; r < end; ++r) {
      fold_row(x.cols, x.data + r * x.cols, low, lower);
      fold_row(x.cols, x.data + r * x.cols, high, higher);
    }
  });
  std::copy_n(lows.data(), x.cols, minimum.data());
  std::copy_n(highs.data(), x.cols, maximum.data());
  for (std::int64_t block = 1; block < blocks; ++block) {
    fold_row(x.cols, lows.data() + block * x.cols, minimum.data(), lower);
    fold_row(x.cols, highs.data() + block * x.cols, maximum.data(), higher);
  }
}

template <class T>
void column_moments(CpuContext& context, MatrixView<const T> x, int ddof, Span<double> mean,
                    Span<double> variance) {
  check_width("column_moments", x, mean.size());
  check_width("column_moments", x, variance.size());
  M2ST_CHECK(x.rows > ddof, "column_moments: x has ", x.rows, " rows, needs more than ddof ", ddof);
  const auto row_of = [x](std::int64_t r) { return x.data + r * x.cols; };
  sum_columns(
      context, x.rows, x.cols, row_of,
      [](T value, std::int64_t) { return static_cast<double>(value); }, mean.data());
  for (double& value : mean) value /= static_cast<double>(x.rows);
  sum_columns(
      context, x.rows, x.cols, row_of,
      [centre = mean.data()](T value, std::int64_t c) {
        const double offset = value - centre[c];
        return offset * offset;
      },
      variance.data());
  for (double& value : variance) value /= static_cast<double>(x.rows - ddof);
}

#define INSTANTIATE(T)                                                                 \
  template double sum<T>(CpuContext&, Span<const T>);                                  \
  template double dot<T>(CpuContext&, Span<const T>, Span<const T>);                   \
  template double max_abs<T>(CpuContext&, Span<const T>);                              \
  template bool all_finite<T>(CpuContext&, Span<const T>);                             \
  template void column_sums<T>(CpuContext&, MatrixView<const T>, Span<T>, Accumulate); \
  template void row_squared_norms<T>(CpuContext&, MatrixView<const T>, Span<T>);       \
  template void column_min_max<T>(CpuContext&, MatrixView<const T>, Span<T>, Span<T>); \
  template void column_moments<T>(CpuContext&, MatrixView<const T>, int, Span<double>, \
                                  Span<double>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
