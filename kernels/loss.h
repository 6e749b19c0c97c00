// Reconstruction losses over a set of rows (eq. 10).
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"
#include "kernels/accumulate.h"

namespace m2st::kernels {

// Mean over r of (1 − cos(target[rows[r],:], output[rows[r],:]))^gamma; vectors' norms are bounded
// below by 1e-12 as torch.nn.functional.normalize does. Empty `rows`: 0.
template <class T>
double scaled_cosine_loss(CpuContext& context, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, MatrixView<const T> output);
template <class T>
double scaled_cosine_loss(CudaContext& context, Span<const std::int32_t> rows, double gamma,
                          MatrixView<const T> target, MatrixView<const T> output);
// The same number into `loss` (1), in the context's memory: a device is not waited for.
template <class T>
void scaled_cosine_loss(CpuContext& context, Span<const std::int32_t> rows, double gamma,
                        MatrixView<const T> target, MatrixView<const T> output, Span<double> loss);
template <class T>
void scaled_cosine_loss(CudaContext& context, Span<const std::int32_t> rows, double gamma,
                        MatrixView<const T> target, MatrixView<const T> output, Span<double> loss);

// grad_output (N, d): rows in `rows` get grad_loss · ∂loss/∂output, all others 0 (kOverwrite) or
// stay (kAdd).
template <class T>
void scaled_cosine_loss_backward(CpuContext& context, Span<const std::int32_t> rows, double gamma,
                                 MatrixView<const T> target, MatrixView<const T> output,
                                 double grad_loss, MatrixView<T> grad_output,
                                 Accumulate accumulate);
template <class T>
void scaled_cosine_loss_backward(CudaContext& context, Span<const std::int32_t> rows, double gamma,
                                 MatrixView<const T> target, MatrixView<const T> output,
                                 double grad_loss, MatrixView<T> grad_output,
                                 Accumulate accumulate);

// Mean over r and columns of (output − target)² (ablation m2ST4).
template <class T>
double mse_loss(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
                MatrixView<const T> output);
template <class T>
double mse_loss(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
                MatrixView<const T> output);
template <class T>
void mse_loss(CpuContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
              MatrixView<const T> output, Span<double> loss);
template <class T>
void mse_loss(CudaContext& context, Span<const std::int32_t> rows, MatrixView<const T> target,
              MatrixView<const T> output, Span<double> loss);
template <class T>
void mse_loss_backward(CpuContext& context, Span<const std::int32_t> rows,
                       MatrixView<const T> target, MatrixView<const T> output, double grad_loss,
                       MatrixView<T> grad_output, Accumulate accumulate);
template <class T>
void mse_loss_backward(CudaContext& context, Span<const std::int32_t> rows,
                       MatrixView<const T> target, MatrixView<const T> output, double grad_loss,
                       MatrixView<T> grad_output, Accumulate accumulate);

}  // namespace m2st::kernels
