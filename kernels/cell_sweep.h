// The one pass over the cells that an iteration of the reduced clustering makes, for any number of
// option sets at once: the cells are read once, and one matrix product serves all of them. A cell
// is seen as z = [D_i; H_i; one-hot of its label]; the pass gives its new label and its new H_i,
// both linear in z, and the sums of z and of the new H by new label. What one option set gets does
// not depend on the others.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/batch.h"
#include "engine/contexts.h"
#include "engine/view.h"

namespace m2st::kernels {

// Option sets of one shape. Their maps give K scores (smallest wins) and d_c entries of H, one
// below the other, as functions of z; d: the widths of all views together.
template <class T>
struct SweptCells {
  BatchView<const double> data_map;    // (K + d_c, d)
  BatchView<const double> common_map;  // (K + d_c, d_c)
  BatchView<const double> label_map;   // (K, K + d_c): what each old label adds, constants included
  MatrixView<std::int32_t> labels;     // (sets, N), in place
  BatchView<T> common;                 // H (N, d_c), in place
  BatchView<double> sums;  // (K, d + d_c + K + d_c): by new label the sums of z, then of new H
  MatrixView<std::int64_t> counts;  // (sets, K): cells by new label
};

// data: (N, d_m) of each view. T is what products and H are kept in; sums are double. Lowest label
// on ties. All batches are contiguous. Same bytes for any number of threads and of option sets.
template <class T>
void sweep_cells(CpuContext& context, const std::vector<MatrixView<const T>>& data,
                 const std::vector<SweptCells<T>>& parts);
template <class T>
void sweep_cells(CudaContext& context, const std::vector<MatrixView<const T>>& data,
                 const std::vector<SweptCells<T>>& parts);

}  // namespace m2st::kernels
