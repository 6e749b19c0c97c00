// Principal components as a step of preparation: the user's limits, and scores in float.
#include "data/prep/pca.h"

#include <algorithm>

#include "engine/check.h"
#include "kernels/principal_components.h"

namespace m2st::data {

template <class T>
PrincipalComponents principal_components(CpuContext& context, MatrixView<const T> x,
                                         int components) {
  const std::int64_t most = std::min(x.rows, x.cols);
  if (components < 1 || components > most) {
    fail(ExitCode::kParameterImpossible, "principal components: ", components, " asked for, but ",
         x.rows, " cells with ", x.cols, " features have between 1 and ", most,
         "; ask for a number in that range");
  }
  PrincipalComponents result;
  result.scores = Matrix<float>(context.pool(), x.rows, components);
  result.axes = Matrix<double>(context.pool(), components, x.cols);
  result.variances.resize(static_cast<std::size_t>(components));
  Array<double> mean(context.pool(), x.cols);
  kernels::principal_components<T>(context, x, mean.span(), result.axes.view(), result.variances);
  kernels::project<T, float>(context, x, mean.span(), result.axes.view(), result.scores.view());
  return result;
}

template PrincipalComponents principal_components<float>(CpuContext&, MatrixView<const float>, int);
template PrincipalComponents principal_components<double>(CpuContext&, MatrixView<const double>,
                                                          int);

}  // namespace m2st::data
