// Scaling of rows and columns, in place.
#pragma once

#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// Each row divided by its L2 norm; a zero row stays (clustering quirk C4 without its clean-up).
template <class T>
void normalise_rows(CpuContext& context, MatrixView<T> x);
template <class T>
void normalise_rows(CudaContext& context, MatrixView<T> x);
// Each column scaled to [0, 1] (quirk C3); a constant column becomes 0.
template <class T>
void min_max_columns(CpuContext& context, MatrixView<T> x);
template <class T>
void min_max_columns(CudaContext& context, MatrixView<T> x);
// x[:,c] = (x[:,c] − shift[c]) · factor[c].
template <class T>
void affine_columns(CpuContext& context, Span<const T> shift, Span<const T> factor,
                    MatrixView<T> x);
template <class T>
void affine_columns(CudaContext& context, Span<const T> shift, Span<const T> factor,
                    MatrixView<T> x);

}  // namespace m2st::kernels
