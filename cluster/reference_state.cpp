// Starting values, each array a stream of its own and each number keyed by its place in the array.
#include "cluster/reference_state.h"

#include <algorithm>
#include <cmath>

#include "cluster/blocks.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "kernels/linear_algebra.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

constexpr std::uint32_t kStream = 1u << 16;  // of Purpose::kCluster; restarts of others lie below
constexpr std::int64_t kRowsPerChunk = 16;

// The arrays in the order they are drawn: S, P, W, V of every view, then H, V of H, labels.
RandomKey key_of(std::uint64_t seed, std::size_t array) {
  return {seed, stream_of(Purpose::kCluster, kStream), static_cast<std::uint32_t>(array)};
}

Matrix<double> uniform_matrix(CpuContext& context, RandomKey key, std::int64_t rows,
                              std::int64_t cols) {
  Matrix<double> result(context.pool(), rows, cols);
  parallel_for(context, rows, kRowsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < cols; ++j) {
        result(i, j) =
            random_uniform(key, static_cast<std::uint32_t>(j), static_cast<std::uint32_t>(i));
      }
    }
  });
  return result;
}

// (rows, cols) with orthonormal rows; rows <= cols.
Matrix<double> orthonormal_rows(CpuContext& context, RandomKey key, std::int64_t rows,
                                std::int64_t cols) {
  const Matrix<double> uniform =
      transposed(context, uniform_matrix(context, key, rows, cols).view());
  Matrix<double> basis(context.pool(), cols, rows);
  kernels::orthonormalise<double>(context, uniform.view(), basis.view());
  return transposed(context, basis.view());
}

std::int64_t common_dim_of(const ReferenceOptions& options) {
  return options.common_dim > 0 ? options.common_dim : options.clusters;
}

void check_options(const std::vector<Matrix<double>>& data, const ReferenceOptions& options) {
  M2ST_CHECK(!data.empty(), "reference clustering: no embedding given");
  const std::int64_t cells = data.front().rows();
  for (const Matrix<double>& view : data) {
    M2ST_CHECK(view.rows() == cells && view.cols() > 0, "reference clustering: an embedding of ",
               view.rows(), " x ", view.cols(), ", need ", cells, " rows and a column");
  }
  if (options.clusters < 1 || options.clusters > cells) {
    fail(ExitCode::kParameterImpossible, "reference clustering: ", options.clusters,
         " clusters for ", cells, " cells; give a number from 1 to the number of cells");
  }
  if (options.specific_dim < 1 || options.common_dim < 0 || options.iterations < 0) {
    fail(ExitCode::kParameterImpossible, "reference clustering: specific_dim ",
         options.specific_dim, ", common_dim ", options.common_dim, ", iterations ",
         options.iterations, "; need at least 1, 0 and 0");
  }
  for (const double lambda : {options.lambda1, options.lambda2, options.lambda3}) {
    if (!(lambda >= 0) || std::isinf(lambda)) {
      fail(ExitCode::kParameterImpossible, "reference clustering: lambda is ", lambda,
           "; give a finite number of at least 0");
    }
  }
}

void check_shape(const char* name, const Matrix<double>& x, std::int64_t rows, std::int64_t cols) {
  M2ST_CHECK(x.rows() == rows && x.cols() == cols, "reference clustering: ", name, " is ", x.rows(),
             " x ", x.cols(), ", need ", rows, " x ", cols);
}

}  // namespace

template <class T>
std::vector<Matrix<double>> reference_data(CpuContext& context,
                                           const std::vector<MatrixView<const T>>& embeddings,
                                           bool scale_input) {
  std::vector<Matrix<double>> data;
  for (const MatrixView<const T>& embedding : embeddings) {
    Matrix<double> view(context.pool(), embedding.rows, embedding.cols);
    std::copy(embedding.span().begin(), embedding.span().end(), view.span().begin());
    if (scale_input) kernels::min_max_columns<double>(context, view.view());
    data.push_back(std::move(view));
  }
  return data;
}

ReferenceState initial_state(CpuContext& context, const std::vector<Matrix<double>>& data,
                             const ReferenceOptions& options) {
  check_options(data, options);
  const std::int64_t cells = data.front().rows();
  const std::int64_t common_dim = common_dim_of(options);
  std::size_t array = 0;
  const auto uniform = [&](std::int64_t rows, std::int64_t cols) {
    return uniform_matrix(context, key_of(options.seed, array++), rows, cols);
  };
  ReferenceState state;
  for (const Matrix<double>& view : data) {
    const std::int64_t width =
        std::min({static_cast<std::int64_t>(options.specific_dim), view.cols(), cells});
    ReferenceView values;
    values.specific = orthonormal_rows(context, key_of(options.seed, array++), width, cells);
    values.specific_map = uniform(width, view.cols());
    values.common_map = uniform(common_dim, view.cols());
    values.centres = uniform(width, options.clusters);
    state.views.push_back(std::move(values));
  }
  state.common = uniform(common_dim, cells);
  state.common_centres = uniform(common_dim, options.clusters);
  const RandomKey key = key_of(options.seed, array);
  for (std::int64_t i = 0; i < cells; ++i) {
    state.labels.push_back(static_cast<std::int32_t>(random_index(
        key, static_cast<std::uint32_t>(options.clusters), static_cast<std::uint32_t>(i))));
  }
  return state;
}

void check_state(const std::vector<Matrix<double>>& data, const ReferenceOptions& options,
                 const ReferenceState& state) {
  check_options(data, options);
  const std::int64_t cells = data.front().rows();
  const std::int64_t common_dim = common_dim_of(options);
  M2ST_CHECK(state.views.size() == data.size(), "reference clustering: the state has ",
             state.views.size(), " views, need ", data.size());
  for (std::size_t m = 0; m < data.size(); ++m) {
    const ReferenceView& view = state.views[m];
    const std::int64_t width = view.specific_map.rows();
    check_shape("S", view.specific, width, cells);
    check_shape("P", view.specific_map, width, data[m].cols());
    check_shape("W", view.common_map, common_dim, data[m].cols());
    check_shape("V", view.centres, width, options.clusters);
  }
  check_shape("H", state.common, common_dim, cells);
  check_shape("V of H", state.common_centres, common_dim, options.clusters);
  M2ST_CHECK(static_cast<std::int64_t>(state.labels.size()) == cells,
             "reference clustering: ", state.labels.size(), " labels, need ", cells);
  for (const std::int32_t label : state.labels) {
    M2ST_CHECK(label >= 0 && label < options.clusters, "reference clustering: label ", label,
               ", need 0 to ", options.clusters - 1);
  }
}

#define INSTANTIATE(T)                                    \
  template std::vector<Matrix<double>> reference_data<T>( \
      CpuContext&, const std::vector<MatrixView<const T>>&, bool);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::cluster
