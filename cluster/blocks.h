// Small dense matrices cut up and put together. Copies throughout: these are sizes of the model,
// never of the cells, but for `copy_of` and `transposed`.
#pragma once

#include <cstdint>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

Matrix<double> zeros(CpuContext& context, std::int64_t rows, std::int64_t cols);

Matrix<double> copy_of(CpuContext& context, MatrixView<const double> x);

Matrix<double> transposed(CpuContext& context, MatrixView<const double> x);

// Columns [first, first + count).
Matrix<double> columns(CpuContext& context, MatrixView<const double> x, std::int64_t first,
                       std::int64_t count);

// out[:, first..] += factor · x.
void add_to_columns(double factor, MatrixView<const double> x, std::int64_t first,
                    MatrixView<double> out);

}  // namespace m2st::cluster
