#include "cluster/spatial_components.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cluster/joined_components.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/aggregate.h"
#include "kernels/gemm.h"
#include "kernels/normalise.h"
#include "kernels/reduce.h"
#include "kernels/rows.h"

namespace m2st::cluster {

namespace {

constexpr std::int64_t kGrain = 1024;
constexpr double kDepthRange = 3;  // standard deviations of log row norm beyond which it is clipped
constexpr int kDepthSteps = 2;     // how far "local" reaches in the depth correction

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

// (N, 1) log norm of the centred rows, standardised and clipped; empty when all rows are alike.
// Features that are standardised expression have longer rows where less was measured.
Matrix<float> depth_of(CpuContext& context, MatrixView<const float> features) {
  Matrix<float> centred = copy_of(context, features);
  centre_columns(context, centred.view());
  Matrix<float> depth(context.pool(), features.rows, 1);
  kernels::row_squared_norms<float>(context, centred.view(), depth.span());
  for (float& value : depth.span()) value = 0.5f * std::log(std::max(value, 1e-24f));
  double mean = 0, variance = 0;
  kernels::column_moments<float>(context, depth.view(), 0, {&mean, 1}, {&variance, 1});
  if (!(variance > 0)) return {};
  for (float& value : depth.span()) {
    const double standard = (value - mean) / std::sqrt(variance);
    value = static_cast<float>(std::clamp(standard, -kDepthRange, kDepthRange));
  }
  centre_columns(context, depth.view());
  return depth;
}

// x − strength · depth · slope, where the slope is that of differences to the neighbourhood: what
// varies with depth from cell to cell is technical, what varies with it across the tissue may not
// be.
void correct_depth(CpuContext& context, const Walk& walk, MatrixView<const float> depth,
                   double strength, MatrixView<float> x) {
  const auto difference = [&](MatrixView<const float> values) {
    Matrix<float> out = averaged(context, walk, copy_of(context, values), kDepthSteps);
    kernels::axpby<float>(context, 1.0f, values.span(), -1.0f, out.span());
    return out;
  };
  const Matrix<float> depth_difference = difference(depth);
  const double square =
      kernels::dot<float>(context, depth_difference.span(), depth_difference.span());
  if (!(square > 0)) return;
  Matrix<float> slope(context.pool(), 1, x.cols);
  {
    const Matrix<float> x_difference = difference(x);
    kernels::gemm<float>(context, kernels::Layout::kTransposed, kernels::Layout::kPlain,
                         static_cast<float>(-strength / square), depth_difference.view(),
                         x_difference.view(), 0.0f, slope.view());
  }
  kernels::gemm<float>(context, kernels::Layout::kPlain, kernels::Layout::kPlain, 1.0f, depth,
                       slope.view(), 1.0f, x);
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
  const bool correct =
      options.depth_correction != 0 && features.size() > 0 && !walk.sources.empty();
  const Matrix<float> depth = correct ? depth_of(context, features) : Matrix<float>();
  const auto block_of = [&](MatrixView<const float> values, double weight) {
    Matrix<float> x = copy_of(context, values);
    centre_columns(context, x.view());
    kernels::normalise_rows<float>(context, x.view());
    if (!depth.empty()) {
      correct_depth(context, walk, depth.view(), options.depth_correction, x.view());
    }
    x = averaged(context, walk, std::move(x), options.steps);
    return weighted_scores<float>(context, x.view(), options.components, weight);
  };

  std::vector<Matrix<double>> blocks;
  if (features.size() > 0) blocks.push_back(block_of(features, 1.0));
  const double weight = features.size() > 0 ? options.embedding_weight : 1.0;
  if (weight > 0) {
    for (const auto& embedding : embeddings) {
      blocks.push_back(block_of(embedding, weight / static_cast<double>(embeddings.size())));
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

}  // namespace m2st::cluster
