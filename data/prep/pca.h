// Exact principal components through the smaller of covariance and Gram matrix.
#pragma once

#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

struct PrincipalComponents {
  Matrix<float> scores;           // (N, components), columns by falling variance
  Matrix<double> axes;            // (components, d); sign: largest |entry| of each axis positive
  std::vector<double> variances;  // (components), divided by N - 1
};

// x: (N, d), centred inside; components <= min(N, d), else exit code 5.
template <class T>
PrincipalComponents principal_components(CpuContext& context, MatrixView<const T> x,
                                         int components);

}  // namespace m2st::data
