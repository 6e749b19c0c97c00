// Nearest centres and sums by label: the sweep over cells that every clustering here is made of.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// labels[n] = argmin_k ‖x[n] − centres[k]‖², the lowest k on ties; distances[n] the minimum.
// x: (N, d); centres: (K, d).
template <class T>
void assign_nearest(CpuContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                    Span<std::int32_t> labels, Span<T> distances);
template <class T>
void assign_nearest(CudaContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                    Span<std::int32_t> labels, Span<T> distances);

// distances[n,k] = ‖x[n] − centres[k]‖², (N, K).
template <class T>
void squared_distances(CpuContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                       MatrixView<T> distances);
template <class T>
void squared_distances(CudaContext& context, MatrixView<const T> x, MatrixView<const T> centres,
                       MatrixView<T> distances);

// sums[k,:] = Σ_{labels[n]=k} x[n,:] and counts[k], in fixed order, in double.
// Labels < 0 are left out. A label of no cluster is an error; CUDA leaves it out, because saying so
// would wait for the device.
template <class T>
void sums_by_label(CpuContext& context, MatrixView<const T> x, Span<const std::int32_t> labels,
                   MatrixView<double> sums, Span<std::int64_t> counts);
template <class T>
void sums_by_label(CudaContext& context, MatrixView<const T> x, Span<const std::int32_t> labels,
                   MatrixView<double> sums, Span<std::int64_t> counts);

}  // namespace m2st::kernels
