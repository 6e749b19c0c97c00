// What tests of training on CUDA share: a problem, and the device's values on the host.
#pragma once

#include <algorithm>
#include <vector>

#include "data/graph/graph.h"
#include "engine/array.h"
#include "engine/context.h"
#include "engine/copy.h"
#include "engine/view.h"
#include "model/config.h"
#include "model/gat_layer.h"

namespace m2st::test {

template <class T>
struct Problem {
  model::AutoencoderConfig config;
  model::TrainConfig train;
  const data::Graph& graph;
  MatrixView<const T> features;
  model::Path path = model::Path::kFused;
};

template <class T>
std::vector<double> on_host(Context& context, Span<const T> values) {
  std::vector<T> here(values.size());
  context.dispatch([&](auto& c) { copy_out<T>(c, values, here); });
  return {here.begin(), here.end()};
}

template <class T>
Matrix<T> converted(Context& context, MatrixView<const float> x) {
  Matrix<T> out(context.host().pool(), x.rows, x.cols);
  std::copy(x.span().begin(), x.span().end(), out.data());
  return out;
}

}  // namespace m2st::test
