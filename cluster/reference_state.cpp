// Starting values, each array a stream of its own and each number keyed by its place in the array.
#include "cluster/reference_state.h"

#include <algorithm>
#include <cmath>

#include "cluster/blocks.h"
#include "cluster/historic_generator.h"
#include "cluster/reference_algebra.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "kernels/linear_algebra.h"
#include "kernels/normalise.h"

namespace m2st::cluster {
namespace {

using kernels::Layout;

constexpr std::uint32_t kStream = 1u << 16;  // of Purpose::kCluster; restarts of others lie below
constexpr std::int64_t kRowsPerChunk = 16;

// What the arrays are drawn from, in order. Engine: array by array a key of its own.
class StartNumbers {
 public:
  StartNumbers(CpuContext& context, const ReferenceOptions& options)
      : context_(context), options_(options), historic_(options.seed) {}

  Matrix<double> uniform(std::int64_t rows, std::int64_t cols) {
    if (options_.start == StartValues::kHistoric) return historic_.matrix(context_, rows, cols);
    const RandomKey key = next_key();
    Matrix<double> result(context_.pool(), rows, cols);
    parallel_for(context_, rows, kRowsPerChunk, [&](std::int64_t begin, std::int64_t end) {
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
  Matrix<double> orthonormal_rows(std::int64_t rows, std::int64_t cols) {
    if (options_.start == StartValues::kHistoric) return singular_rows(uniform(cols, rows));
    const Matrix<double> columns = transposed(context_, uniform(rows, cols).view());
    Matrix<double> basis(context_.pool(), cols, rows);
    kernels::orthonormalise<double>(context_, columns.view(), basis.view());
    return transposed(context_, basis.view());
  }

  std::vector<std::int32_t> labels(std::int64_t cells) {
    const auto clusters = static_cast<std::uint32_t>(options_.clusters);
    const RandomKey key = next_key();
    std::vector<std::int32_t> result;
    for (std::int64_t i = 0; i < cells; ++i) {
      const std::uint32_t label = options_.start == StartValues::kHistoric
                                      ? static_cast<std::uint32_t>(historic_.next() * clusters)
                                      : random_index(key, clusters, static_cast<std::uint32_t>(i));
      result.push_back(static_cast<std::int32_t>(label));
    }
    return result;
  }

 private:
  RandomKey next_key() {
    return {options_.seed, stream_of(Purpose::kCluster, kStream + options_.restart), array_++};
  }

  // The left singular vectors of x as rows, the greatest singular value first (MATLAB's orth, up to
  // signs): xᵀ x = Q Λ Qᵀ, rows Λ^(−½) Qᵀ xᵀ.
  Matrix<double> singular_rows(const Matrix<double>& x) {
    const std::int64_t count = x.cols();
    const Matrix<double> gram =
        product(context_, Layout::kTransposed, x.view(), Layout::kPlain, x.view());
    std::vector<double> values(static_cast<std::size_t>(count));
    Matrix<double> vectors(context_.pool(), count, count);
    kernels::symmetric_eigen<double>(context_, gram.view(), values, vectors.view());
    Matrix<double> map(context_.pool(), count, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t from = count - 1 - i;
      const double value = values[static_cast<std::size_t>(from)];
      const double factor = value > 0 ? 1 / std::sqrt(value) : 0;
      for (std::int64_t j = 0; j < count; ++j) map(i, j) = factor * vectors(j, from);
    }
    return product(context_, Layout::kPlain, map.view(), Layout::kTransposed, x.view());
  }

  CpuContext& context_;
  const ReferenceOptions& options_;
  HistoricGenerator historic_;
  std::uint32_t array_ = 0;
};

std::int64_t common_dim_of(const ReferenceOptions& options) {
  return options.common_dim > 0 ? options.common_dim : options.clusters;
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
  StartNumbers numbers(context, options);
  ReferenceState state;
  for (const Matrix<double>& view : data) {
    const std::int64_t width =
        std::min({static_cast<std::int64_t>(options.specific_dim), view.cols(), cells});
    ReferenceView values;
    values.specific = numbers.orthonormal_rows(width, cells);
    values.specific_map = numbers.uniform(width, view.cols());
    values.common_map = numbers.uniform(common_dim, view.cols());
    values.centres = numbers.uniform(width, options.clusters);
    state.views.push_back(std::move(values));
  }
  state.common = numbers.uniform(common_dim, cells);
  state.common_centres = numbers.uniform(common_dim, options.clusters);
  state.labels = numbers.labels(cells);
  return state;
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
