// Reductions on CUDA. What returns a host value waits for the device; the rest does not.
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "engine/check.h"
#include "engine/copy.h"
#include "kernels/cuda/reduction.cuh"
#include "kernels/reduce.h"

namespace m2st::kernels {

namespace {

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
struct Element {
  const T* x;
  __device__ double operator()(std::int64_t i) const { return x[i]; }
};

template <class T>
struct Product {
  const T* x;
  const T* y;
  __device__ double operator()(std::int64_t i) const {
    return static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
};

// |x| as its bits: ordered as integers, NaN is above infinity, infinity above the rest.
template <class T>
struct MagnitudeBits {
  const T* x;
  __device__ BitsOf<T> operator()(std::int64_t i) const {
    BitsOf<T> bits;
    memcpy(&bits, x + i, sizeof bits);
    return bits & static_cast<BitsOf<T>>(-1) >> 1;
  }
};

template <class V, class Term, class Combine>
V reduce_to_host(CudaContext& context, std::int64_t size, const Term& term,
                 const Combine& combine) {
  Array<V> result(context.pool(), 1);
  reduce<V>(context, size, term, combine, StorePart<V>{result.data()});
  V value = 0;
  copy_out<V>(context, result.span(), Span<V>(&value, 1));
  return value;
}

template <class T>
BitsOf<T> largest_magnitude(CudaContext& context, Span<const T> x) {
  return reduce_to_host<BitsOf<T>>(context, std::ssize(x), MagnitudeBits<T>{x.data()}, Larger{});
}

template <class T>
void check_width(const char* op, MatrixView<const T> x, std::size_t outputs) {
  M2ST_CHECK(static_cast<std::int64_t>(outputs) == x.cols, op, ": output has ", outputs,
             " entries, x has ", x.cols, " columns");
}

template <class T>
struct Entry {
  const T* x;
  std::int64_t cols;
  __device__ T operator()(std::int64_t r, std::int64_t c) const { return x[r * cols + c]; }
};

template <class T>
struct SquaredOffset {
  const T* x;
  std::int64_t cols;
  const double* centre;
  __device__ double operator()(std::int64_t r, std::int64_t c) const {
    const double offset = x[r * cols + c] - centre[c];
    return offset * offset;
  }
};

struct StoreQuotient {
  double* out;
  double divisor;
  __device__ void operator()(std::int64_t, std::int64_t c, double total) const {
    out[c] = total / divisor;
  }
};

template <class T>
struct Lowest {
  __device__ T neutral() const { return INFINITY; }
  __device__ T operator()(T a, T b) const { return b < a ? b : a; }
};

template <class T>
struct Highest {
  __device__ T neutral() const { return -INFINITY; }
  __device__ T operator()(T a, T b) const { return b > a ? b : a; }
};

template <class T>
struct StoreColumn {
  T* out;
  __device__ void operator()(std::int64_t, std::int64_t c, T value) const { out[c] = value; }
};

template <class T>
__global__ void row_squared_norms_kernel(std::int64_t rows, std::int64_t cols,
                                         const T* __restrict__ x, T* __restrict__ squares) {
  const std::int64_t row = thread_number() / kWarp;
  if (row >= rows) return;  // the whole warp
  double sum = 0;
  for (std::int64_t c = threadIdx.x % kWarp; c < cols; c += kWarp) {
    const double value = x[row * cols + c];
    sum += value * value;
  }
  sum = warp_sum(sum, 1);
  if (threadIdx.x % kWarp == 0) squares[row] = static_cast<T>(sum);
}

}  // namespace

template <class T>
double sum(CudaContext& context, Span<const T> x) {
  return reduce_to_host<double>(context, std::ssize(x), Element<T>{x.data()}, Plus{});
}

template <class T>
double dot(CudaContext& context, Span<const T> x, Span<const T> y) {
  M2ST_CHECK(x.size() == y.size(), "dot: x has ", x.size(), " entries, y has ", y.size());
  return reduce_to_host<double>(context, std::ssize(x), Product<T>{x.data(), y.data()}, Plus{});
}

template <class T>
double max_abs(CudaContext& context, Span<const T> x) {
  return std::bit_cast<T>(largest_magnitude<T>(context, x));
}

template <class T>
bool all_finite(CudaContext& context, Span<const T> x) {
  return largest_magnitude<T>(context, x) <
         std::bit_cast<BitsOf<T>>(std::numeric_limits<T>::infinity());
}

template <class T>
void column_sums(CudaContext& context, MatrixView<const T> x, Span<T> sums, Accumulate accumulate) {
  check_width("column_sums", x, sums.size());
  combine_columns<double>(context, x.rows, x.cols, Entry<T>{x.data, x.cols}, PlusDoubles{},
                          StoreSum<T>{sums.data(), accumulate == Accumulate::kAdd});
}

template <class T>
void row_squared_norms(CudaContext& context, MatrixView<const T> x, Span<T> squares) {
  M2ST_CHECK(std::ssize(squares) == x.rows, "row_squared_norms: output has ", squares.size(),
             " entries, x has ", x.rows, " rows");
  if (x.rows == 0) return;
  launch(row_squared_norms_kernel<T>, blocks_for(x.rows, kBlockWarps), dim3(kBlockThreads), 0,
         context, x.rows, x.cols, x.data, squares.data());
}

template <class T>
void column_min_max(CudaContext& context, MatrixView<const T> x, Span<T> minimum, Span<T> maximum) {
  check_width("column_min_max", x, minimum.size());
  check_width("column_min_max", x, maximum.size());
  M2ST_CHECK(x.rows > 0, "column_min_max: x has no rows, needs at least 1");
  const Entry<T> entry{x.data, x.cols};
  combine_columns<T>(context, x.rows, x.cols, entry, Lowest<T>{}, StoreColumn<T>{minimum.data()});
  combine_columns<T>(context, x.rows, x.cols, entry, Highest<T>{}, StoreColumn<T>{maximum.data()});
}

template <class T>
void column_moments(CudaContext& context, MatrixView<const T> x, int ddof, Span<double> mean,
                    Span<double> variance) {
  check_width("column_moments", x, mean.size());
  check_width("column_moments", x, variance.size());
  M2ST_CHECK(x.rows > ddof, "column_moments: x has ", x.rows, " rows, needs more than ddof ", ddof);
  combine_columns<double>(context, x.rows, x.cols, Entry<T>{x.data, x.cols}, PlusDoubles{},
                          StoreQuotient{mean.data(), static_cast<double>(x.rows)});
  combine_columns<double>(context, x.rows, x.cols, SquaredOffset<T>{x.data, x.cols, mean.data()},
                          PlusDoubles{},
                          StoreQuotient{variance.data(), static_cast<double>(x.rows - ddof)});
}

#define INSTANTIATE(T)                                                                  \
  template double sum<T>(CudaContext&, Span<const T>);                                  \
  template double dot<T>(CudaContext&, Span<const T>, Span<const T>);                   \
  template double max_abs<T>(CudaContext&, Span<const T>);                              \
  template bool all_finite<T>(CudaContext&, Span<const T>);                             \
  template void column_sums<T>(CudaContext&, MatrixView<const T>, Span<T>, Accumulate); \
  template void row_squared_norms<T>(CudaContext&, MatrixView<const T>, Span<T>);       \
  template void column_min_max<T>(CudaContext&, MatrixView<const T>, Span<T>, Span<T>); \
  template void column_moments<T>(CudaContext&, MatrixView<const T>, int, Span<double>, \
                                  Span<double>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
