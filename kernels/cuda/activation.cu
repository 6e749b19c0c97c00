// Elementwise activations on CUDA; the slope's gradient is summed in double.
#include "engine/check.h"
#include "kernels/activation.h"
#include "kernels/cuda/elementwise.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/math/activation.h"

namespace m2st::kernels {

namespace {

void check_sizes(const char* op, std::size_t x, std::size_t other) {
  M2ST_CHECK(x == other, op, ": output or gradient has ", other, " entries, x has ", x);
}

// A slope given by value, or one that a parameter holds on the device.
template <class T>
struct SlopeOf {
  T value;
  const T* parameter;  // null: `value`
  __device__ T operator()() const { return parameter == nullptr ? value : *parameter; }
};

template <class T>
struct Leaky {
  const T* x;
  SlopeOf<T> slope;
  __device__ T operator()(std::int64_t i) const { return leaky(x[i], slope()); }
};

template <class T>
struct LeakyGrad {
  const T* x;
  SlopeOf<T> slope;
  const T* grad_out;
  __device__ T operator()(std::int64_t i) const { return leaky_grad(x[i], slope(), grad_out[i]); }
};

template <class T>
struct Elu {
  const T* x;
  __device__ T operator()(std::int64_t i) const { return elu_value(x[i]); }
};

template <class T>
struct EluGrad {
  const T* x;
  const T* grad_out;
  __device__ T operator()(std::int64_t i) const { return elu_grad(x[i], grad_out[i]); }
};

// x · grad_out where x is on the slope's side.
template <class T>
struct SlopeTerm {
  const T* x;
  const T* grad_out;
  __device__ double operator()(std::int64_t i) const {
    const double value = x[i];
    return value > 0 ? 0.0 : value * static_cast<double>(grad_out[i]);
  }
};

template <class T>
struct StoreTotal {
  T* total;
  bool add;
  __device__ void operator()(std::int64_t, double value) const {
    *total = add ? *total + static_cast<T>(value) : static_cast<T>(value);
  }
};

}  // namespace

template <class T>
void leaky_relu(CudaContext& context, Span<const T> x, T slope, Span<T> out) {
  check_sizes("leaky_relu", x.size(), out.size());
  write_elements(context, std::ssize(x), out.data(), Accumulate::kOverwrite,
                 Leaky<T>{x.data(), {slope, nullptr}});
}

template <class T>
void leaky_relu_backward(CudaContext& context, Span<const T> x, T slope, Span<const T> grad_out,
                         Span<T> grad_x, Accumulate accumulate) {
  check_sizes("leaky_relu_backward", x.size(), grad_out.size());
  check_sizes("leaky_relu_backward", x.size(), grad_x.size());
  write_elements(context, std::ssize(x), grad_x.data(), accumulate,
                 LeakyGrad<T>{x.data(), {slope, nullptr}, grad_out.data()});
}

template <class T>
void prelu(CudaContext& context, Span<const T> x, Span<const T> slope, Span<T> out) {
  M2ST_CHECK(slope.size() == 1, "prelu: slope has ", slope.size(), " entries, needs 1");
  check_sizes("prelu", x.size(), out.size());
  write_elements(context, std::ssize(x), out.data(), Accumulate::kOverwrite,
                 Leaky<T>{x.data(), {T(0), slope.data()}});
}

template <class T>
void prelu_backward(CudaContext& context, Span<const T> x, Span<const T> slope,
                    Span<const T> grad_out, Span<T> grad_x, Accumulate accumulate_x,
                    Span<T> grad_slope, Accumulate accumulate_slope) {
  M2ST_CHECK(slope.size() == 1 && grad_slope.size() == 1, "prelu_backward: slope has ",
             slope.size(), " entries and its gradient ", grad_slope.size(), ", both need 1");
  check_sizes("prelu_backward", x.size(), grad_out.size());
  check_sizes("prelu_backward", x.size(), grad_x.size());
  // First the sum: grad_x may be grad_out.
  reduce<double>(context, std::ssize(x), SlopeTerm<T>{x.data(), grad_out.data()}, Plus{},
                 StoreTotal<T>{grad_slope.data(), accumulate_slope == Accumulate::kAdd});
  write_elements(context, std::ssize(x), grad_x.data(), accumulate_x,
                 LeakyGrad<T>{x.data(), {T(0), slope.data()}, grad_out.data()});
}

template <class T>
void elu(CudaContext& context, Span<const T> x, Span<T> out) {
  check_sizes("elu", x.size(), out.size());
  write_elements(context, std::ssize(x), out.data(), Accumulate::kOverwrite, Elu<T>{x.data()});
}

template <class T>
void elu_backward(CudaContext& context, Span<const T> x, Span<const T> grad_out, Span<T> grad_x,
                  Accumulate accumulate) {
  check_sizes("elu_backward", x.size(), grad_out.size());
  check_sizes("elu_backward", x.size(), grad_x.size());
  write_elements(context, std::ssize(x), grad_x.data(), accumulate,
                 EluGrad<T>{x.data(), grad_out.data()});
}

#define INSTANTIATE(T)                                                                         \
  template void prelu<T>(CudaContext&, Span<const T>, Span<const T>, Span<T>);                 \
  template void prelu_backward<T>(CudaContext&, Span<const T>, Span<const T>, Span<const T>,   \
                                  Span<T>, Accumulate, Span<T>, Accumulate);                   \
  template void leaky_relu<T>(CudaContext&, Span<const T>, T, Span<T>);                        \
  template void leaky_relu_backward<T>(CudaContext&, Span<const T>, T, Span<const T>, Span<T>, \
                                       Accumulate);                                            \
  template void elu<T>(CudaContext&, Span<const T>, Span<T>);                                  \
  template void elu_backward<T>(CudaContext&, Span<const T>, Span<const T>, Span<T>, Accumulate);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
