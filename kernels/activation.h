// Elementwise activations; formulas in kernels/math/activation.h.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// out = x for x > 0, slope[0] · x otherwise (PyTorch's side at 0). slope: one value. out may be x.
template <class T>
void prelu(CpuContext& context, Span<const T> x, Span<const T> slope, Span<T> out);
template <class T>
void prelu(CudaContext& context, Span<const T> x, Span<const T> slope, Span<T> out);

// grad_x (same size as x) and grad_slope (1); grad_x may be grad_out.
template <class T>
void prelu_backward(CpuContext& context, Span<const T> x, Span<const T> slope,
                    Span<const T> grad_out, Span<T> grad_x, Accumulate accumulate_x,
                    Span<T> grad_slope, Accumulate accumulate_slope);
template <class T>
void prelu_backward(CudaContext& context, Span<const T> x, Span<const T> slope,
                    Span<const T> grad_out, Span<T> grad_x, Accumulate accumulate_x,
                    Span<T> grad_slope, Accumulate accumulate_slope);

// out = x for x > 0, slope · x otherwise.
template <class T>
void leaky_relu(CpuContext& context, Span<const T> x, T slope, Span<T> out);
template <class T>
void leaky_relu(CudaContext& context, Span<const T> x, T slope, Span<T> out);
template <class T>
void leaky_relu_backward(CpuContext& context, Span<const T> x, T slope, Span<const T> grad_out,
                         Span<T> grad_x, Accumulate accumulate);
template <class T>
void leaky_relu_backward(CudaContext& context, Span<const T> x, T slope, Span<const T> grad_out,
                         Span<T> grad_x, Accumulate accumulate);

// out = x for x > 0, exp(x) − 1 otherwise.
template <class T>
void elu(CpuContext& context, Span<const T> x, Span<T> out);
template <class T>
void elu(CudaContext& context, Span<const T> x, Span<T> out);
template <class T>
void elu_backward(CpuContext& context, Span<const T> x, Span<const T> grad_out, Span<T> grad_x,
                  Accumulate accumulate);
template <class T>
void elu_backward(CudaContext& context, Span<const T> x, Span<const T> grad_out, Span<T> grad_x,
                  Accumulate accumulate);

}  // namespace m2st::kernels
