#include "cluster/divisive_start.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/gemm.h"
#include "kernels/linear_algebra.h"
#include "kernels/normalise.h"
#include "kernels/reduce.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 2048;

struct Part {
  std::vector<std::int32_t> cells;  // ascending
  std::vector<double> mean;         // (d)
  double scatter = 0;  // Σ ‖x − mean‖²; 0 once it is known that it cannot be cut
};

Matrix<double> rows_of(CpuContext& context, MatrixView<const double> x,
                       const std::vector<std::int32_t>& cells) {
  Matrix<double> out(context.pool(), std::ssize(cells), x.cols);
  parallel_for(context, out.rows(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(x.data + cells[static_cast<std::size_t>(i)] * x.cols, x.cols,
                  out.data() + i * x.cols);
    }
  });
  return out;
}

Part make_part(CpuContext& context, MatrixView<const double> x, std::vector<std::int32_t> cells) {
  Part part;
  part.cells = std::move(cells);
  part.mean.resize(static_cast<std::size_t>(x.cols));
  std::vector<double> variances(part.mean.size());
  kernels::column_moments<double>(context, rows_of(context, x, part.cells).view(), 0, part.mean,
                                  variances);
  for (const double variance : variances) {
    part.scatter += variance * static_cast<double>(part.cells.size());
  }
  return part;
}

// Places of the part's cells along its first principal axis, its mean at 0.
std::vector<double> places(CpuContext& context, MatrixView<const double> x, const Part& part) {
  Matrix<double> rows = rows_of(context, x, part.cells);
  const std::vector<double> factor(part.mean.size(), 1.0);
  kernels::affine_columns<double>(context, part.mean, factor, rows.view());
  Matrix<double> scatter(context.pool(), x.cols, x.cols), vectors(context.pool(), x.cols, x.cols);
  kernels::gemm<double>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain, 1.0,
                        rows.view(), rows.view(), 0.0, scatter.view());
  Array<double> values(context.pool(), x.cols);
  kernels::symmetric_eigen<double>(context, scatter.view(), values.span(), vectors.view());
  const std::int64_t largest =
      std::max_element(values.span().begin(), values.span().end()) - values.span().begin();
  std::vector<double> out(part.cells.size(), 0.0);
  parallel_for(context, rows.rows(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < x.cols; ++c) {
        out[static_cast<std::size_t>(i)] += rows(i, c) * vectors(c, largest);
      }
    }
  });
  return out;
}

// Cuts off the cells beyond the mean; false when they all lie on one side.
bool cut(CpuContext& context, MatrixView<const double> x, Part& part, Part& other) {
  const std::vector<double> place = places(context, x, part);
  std::vector<std::int32_t> below, above;
  for (std::size_t i = 0; i < place.size(); ++i) {
    (place[i] > 0 ? above : below).push_back(part.cells[i]);
  }
  if (below.empty() || above.empty()) return false;
  part = make_part(context, x, std::move(below));
  other = make_part(context, x, std::move(above));
  return true;
}

}  // namespace

Matrix<double> divisive_centres(CpuContext& context, MatrixView<const double> x, int clusters) {
  M2ST_CHECK(clusters >= 1 && clusters <= x.rows, "divisive_centres: clusters (got ", clusters,
             ", need 1 to ", x.rows, ")");
  std::vector<std::int32_t> all(static_cast<std::size_t>(x.rows));
  for (std::size_t n = 0; n < all.size(); ++n) all[n] = static_cast<std::int32_t>(n);
  std::vector<Part> parts;
  parts.push_back(make_part(context, x, std::move(all)));
  while (std::ssize(parts) < clusters) {
    const auto widest =
        std::max_element(parts.begin(), parts.end(),
                         [](const Part& a, const Part& b) { return a.scatter < b.scatter; });
    if (!(widest->scatter > 0)) break;
    Part other;
    if (cut(context, x, *widest, other)) {
      parts.push_back(std::move(other));
    } else {
      widest->scatter = 0;
    }
  }
  Matrix<double> centres(context.pool(), clusters, x.cols);
  for (int k = 0; k < clusters; ++k) {
    const auto& mean = parts[k < std::ssize(parts) ? static_cast<std::size_t>(k) : 0].mean;
    std::copy(mean.begin(), mean.end(), centres.view().row(k).begin());
  }
  return centres;
}

}  // namespace m2st::cluster
