// Principal components: the leading eigenvectors of a covariance, found through the smaller of
// covariance (d × d) and Gram matrix (N × N). Everything inside is double, whatever x is.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// mean (d); axes (components, d) orthonormal, by falling variance, the entry of largest magnitude
// of each positive; variances (components) divided by N − 1, never negative. x: (N, d), finite;
// components = axes.rows <= min(N, d). Directions without variance are completed to an orthonormal
// set.
template <class T>
void principal_components(CpuContext& context, MatrixView<const T> x, Span<double> mean,
                          MatrixView<double> axes, Span<double> variances);
template <class T>
void principal_components(CudaContext& context, MatrixView<const T> x, Span<double> mean,
                          MatrixView<double> axes, Span<double> variances);

// scores (N, components) = (x − mean) · axesᵀ.
template <class T, class S>
void project(CpuContext& context, MatrixView<const T> x, Span<const double> mean,
             MatrixView<const double> axes, MatrixView<S> scores);
template <class T, class S>
void project(CudaContext& context, MatrixView<const T> x, Span<const double> mean,
             MatrixView<const double> axes, MatrixView<S> scores);

}  // namespace m2st::kernels
