#include "cluster/spatial_components.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/joined_components.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "engine/random.h"
#include "kernels/aggregate.h"
#include "kernels/gemm.h"
#include "kernels/normalise.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 1024;
constexpr double kLongRow = 3;                   // medians
constexpr double kLongShare = 0.01;              // of the rows
constexpr float kLeastSquare = 1e-24f;           // a row shorter than its root counts as that long
constexpr std::uint32_t kSignStream = 1u << 17;  // of Purpose::kCluster; others lie below
constexpr std::uint32_t kSignBlocks = 4;
constexpr std::int64_t kSignsPerBlock = 16;

// The graph with every cell its own neighbour too: averaging over it is the lazy random walk.
struct Walk {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> sources;

  CsrView view() const { return {offsets, sources}; }
};

Walk with_self(CsrView graph) {
  Walk walk;
  walk.offsets.push_back(0);
  walk.sources.reserve(graph.sources.size() + static_cast<std::size_t>(graph.nodes()));
  for (std::int64_t i = 0; i < graph.nodes(); ++i) {
    walk.sources.push_back(static_cast<std::int32_t>(i));
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      walk.sources.push_back(graph.sources[e]);
    }
    walk.offsets.push_back(std::ssize(walk.sources));
  }
  return walk;
}

Matrix<float> copy_of(CpuContext& context, MatrixView<const float> x) {
  Matrix<float> out(context.pool(), x.rows, x.cols);
  kernels::axpby<float>(context, 1.0f, x.span(), 0.0f, out.span());
  return out;
}

// x averaged `steps` times over the walk.
Matrix<float> averaged(CpuContext& context, const Walk& walk, Matrix<float> x, int steps) {
  if (walk.sources.empty()) return x;
  Matrix<float> next(context.pool(), x.rows(), x.cols());
  for (int step = 0; step < steps; ++step) {
    kernels::neighbour_mean<float>(context, walk.view(), x.view(), next.view());
    std::swap(x, next);
  }
  return x;
}

void centre_columns(CpuContext& context, MatrixView<float> x) {
  std::vector<double> mean(static_cast<std::size_t>(x.cols)), variance(mean.size());
  kernels::column_moments<float>(context, x, 0, mean, variance);
  const std::vector<float> shift(mean.begin(), mean.end());
  const std::vector<float> factor(mean.size(), 1.0f);
  kernels::affine_columns<float>(context, shift, factor, x);
}

// Rows divided by their norms to the power `exponent`.
void even_lengths(CpuContext& context, double exponent, MatrixView<float> x) {
  if (exponent == 1) return kernels::normalise_rows<float>(context, x);
  Array<float> squares(context.pool(), x.rows);
  kernels::row_squared_norms<float>(context, x, squares.span());
  parallel_for(context, x.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const double square = std::max(squares[n], kLeastSquare);
      const auto factor = static_cast<float>(std::pow(square, -0.5 * exponent));
      for (float& value : x.row(n)) value *= factor;
    }
  });
}

// Leading scores with total variance `weight`; a block without variance gives zeros.
template <class T>
Matrix<double> weighted_scores(CpuContext& context, MatrixView<const T> x, int components,
                               double weight) {
  Matrix<double> scores = leading_scores<T>(context, x, components);
  const double total = kernels::dot<double>(context, scores.span(), scores.span());
  const double factor = total > 0 ? std::sqrt(weight * static_cast<double>(x.rows) / total) : 0.0;
  for (double& value : scores.span()) value *= factor;
  return scores;
}

}  // namespace

Matrix<double> spatial_components(CpuContext& context,
                                  const std::vector<MatrixView<const float>>& embeddings,
                                  MatrixView<const float> features, CsrView graph,
                                  const SpatialComponentOptions& options) {
  M2ST_CHECK(!embeddings.empty() || features.size() > 0, "spatial_components: no blocks");
  const Walk walk = graph.offsets.empty() ? Walk{} : with_self(graph);
  const auto block_of = [&](MatrixView<const float> values, double exponent, double weight) {
    Matrix<float> x = copy_of(context, values);
    centre_columns(context, x.view());
    even_lengths(context, exponent, x.view());
    x = averaged(context, walk, std::move(x), options.steps);
    return weighted_scores<float>(context, x.view(), options.components, weight);
  };

  std::vector<Matrix<double>> blocks;
  if (features.size() > 0) blocks.push_back(block_of(features, options.length_exponent, 1.0));
  const double weight = features.size() > 0 ? options.embedding_weight : 1.0;
  if (weight > 0) {
    for (const auto& embedding : embeddings) {
      const double share = weight / static_cast<double>(embeddings.size());
      blocks.push_back(block_of(embedding, 1.0, share));
    }
  }
  std::int64_t cols = 0;
  for (const auto& block : blocks) cols += block.cols();
  Matrix<double> joined(context.pool(), blocks.front().rows(), cols);
  parallel_for(context, joined.rows(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      double* place = joined.data() + n * cols;
      for (const auto& block : blocks) {
        place = std::copy_n(block.data() + n * block.cols(), block.cols(), place);
      }
    }
  });
  if (blocks.size() == 1) return joined;
  return weighted_scores<double>(context, joined.view(), options.components, 1.0);
}

double length_exponent_of(CpuContext& context, MatrixView<const float> features) {
  Matrix<float> centred = copy_of(context, features);
  centre_columns(context, centred.view());
  std::vector<float> squares(static_cast<std::size_t>(features.rows));
  kernels::row_squared_norms<float>(context, centred.view(), squares);
  const auto at = [&](double share) {
    const auto place = squares.begin() +
                       static_cast<std::int64_t>(share * static_cast<double>(squares.size() - 1));
    std::nth_element(squares.begin(), place, squares.end());
    return std::sqrt(static_cast<double>(*place));
  };
  return at(1 - kLongShare) > kLongRow * at(0.5) ? 1.0 : 0.5;
}

// Averaged signs ε have E[(Σ w ε)²] = Σ w².
double cells_per_average(CpuContext& context, CsrView graph, int steps) {
  if (graph.offsets.empty() || graph.nodes() == 0) return 1;
  const Walk walk = with_self(graph);
  const std::int64_t cells = graph.nodes();
  std::vector<double> squares(static_cast<std::size_t>(cells), 0.0);
  Array<float> norms(context.pool(), cells);
  for (std::uint32_t block = 0; block < kSignBlocks; ++block) {
    const RandomKey key{0, stream_of(Purpose::kCluster, kSignStream), block};
    Matrix<float> signs(context.pool(), cells, kSignsPerBlock);
    parallel_for(context, cells, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        for (std::int64_t c = 0; c < kSignsPerBlock; ++c) {
          const auto id = static_cast<std::uint32_t>(n);
          signs(n, c) = random_index(key, 2, id, static_cast<std::uint32_t>(c)) == 0 ? -1.0f : 1.0f;
        }
      }
    });
    const Matrix<float> mean = averaged(context, walk, std::move(signs), steps);
    kernels::row_squared_norms<float>(context, mean.view(), norms.span());
    for (std::int64_t n = 0; n < cells; ++n) squares[static_cast<std::size_t>(n)] += norms[n];
  }
  const auto middle = squares.begin() + cells / 2;
  std::nth_element(squares.begin(), middle, squares.end());
  return static_cast<double>(kSignBlocks * kSignsPerBlock) / *middle;
}

}  // namespace m2st::cluster
