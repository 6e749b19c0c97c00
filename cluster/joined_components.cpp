// Principal components of each block, joined row by row.
#include "cluster/joined_components.h"

#include <algorithm>

#include "engine/check.h"
#include "kernels/principal_components.h"

namespace m2st::cluster {

template <class T>
Matrix<double> leading_scores(CpuContext& context, MatrixView<const T> x, int components) {
  const std::int64_t count = std::min<std::int64_t>({components, x.rows, x.cols});
  Array<double> mean(context.pool(), x.cols), variances(context.pool(), count);
  Matrix<double> axes(context.pool(), count, x.cols), scores(context.pool(), x.rows, count);
  kernels::principal_components<T>(context, x, mean.span(), axes.view(), variances.span());
  kernels::project<T, double>(context, x, mean.span(), axes.view(), scores.view());
  return scores;
}

Matrix<double> joined_components(CpuContext& context,
                                 const std::vector<MatrixView<const float>>& blocks,
                                 int components) {
  M2ST_CHECK(!blocks.empty(), "joined_components: no blocks");
  std::vector<Matrix<double>> parts;
  std::int64_t cols = 0;
  for (const auto& block : blocks) {
    M2ST_CHECK(block.rows == blocks.front().rows, "joined_components: rows (got ", block.rows,
               ", need ", blocks.front().rows, ")");
    parts.push_back(leading_scores<float>(context, block, components));
    cols += parts.back().cols();
  }
  Matrix<double> out(context.pool(), blocks.front().rows, cols);
  for (std::int64_t n = 0; n < out.rows(); ++n) {
    auto place = out.view().row(n).begin();
    for (const auto& part : parts) {
      const auto row = part.view().row(n);
      place = std::copy(row.begin(), row.end(), place);
    }
  }
  return out;
}

#define INSTANTIATE(T) \
  template Matrix<double> leading_scores<T>(CpuContext&, MatrixView<const T>, int);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::cluster
