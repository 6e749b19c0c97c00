// The one pass over the cells that an iteration of the reduced clustering makes, for any number of
// option sets at once: the cells are read once, and one matrix product serves all of them. A cell
// is seen as z = [D_i; H_i; one-hot of its label]; the pass gives its new label and its new H_i,
// both linear in z, and the sums of z and of the new H by new label. What one option set gets does
// not depend on the others.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// The K scores (smallest wins) and the d_c entries of H, one below the other, as functions of z.
struct SweepMaps {
  Matrix<double> data;    // (K + d_c, d), d the widths of all views together
  Matrix<double> common;  // (K + d_c, d_c)
  Matrix<double> labels;  // (K, K + d_c): what each old label adds, constants included
};

// One option set's part in a pass.
template <class T>
struct SweptCells {
  const SweepMaps& maps;
  Span<std::int32_t> labels;  // (N), in place
  MatrixView<T> common;       // (N, d_c), in place
  MatrixView<double> sums;    // (K, d + d_c + K + d_c): by new label the sums of z, then of new H
};

// data: (N, d_m) of each view. T is what products and H are kept in; sums are double. Lowest label
// on ties. Same bytes for any number of threads and of option sets.
template <class T>
void sweep_cells(CpuContext& context, const std::vector<Matrix<T>>& data,
                 const std::vector<SweptCells<T>>& sets);

}  // namespace m2st::cluster
