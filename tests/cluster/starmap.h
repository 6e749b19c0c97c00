// The published STARmap embeddings for the clustering tests.
#pragma once

#include <string>
#include <vector>

#include "cluster/reference_state.h"
#include "data/io/npy.h"
#include "tests/support/shared_data.h"

namespace m2st::cluster::test {

// `embedding`: a or b. Scaled to [0, 1].
inline std::vector<Matrix<double>> starmap_data(CpuContext& context, const std::string& embedding) {
  std::vector<Matrix<float>> scales;
  std::vector<MatrixView<const float>> views;
  for (const std::string scale : {"1", "2"}) {
    scales.push_back(data::read_npy<float>(
        context, m2st::test::shared_path("data/starmap_m2st/embedding_" + embedding + "_scale" +
                                         scale + ".npy")));
    views.push_back(scales.back().view());
  }
  return reference_data<float>(context, views, true);
}

// Those of the published run.
inline ReferenceOptions starmap_options() {
  ReferenceOptions options;
  options.clusters = 7;
  options.lambda1 = 100;
  options.lambda2 = 1e-5;
  options.lambda3 = 0.1;
  options.specific_dim = 40;
  return options;
}

}  // namespace m2st::cluster::test
