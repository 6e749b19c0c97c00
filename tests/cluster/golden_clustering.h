// The golden values of the reference clustering, for every solver that has to meet them.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cluster/reference_state.h"
#include "data/io/npy.h"
#include "tests/support/shared_data.h"

namespace m2st::cluster::test {

struct GoldenClustering {
  ReferenceOptions options;
  std::vector<Matrix<double>> data;  // scaled
  nlohmann::json iterations;         // weights, sizes and margins
};

inline Matrix<double> golden_matrix(CpuContext& context, const std::string& name) {
  return data::read_npy<double>(context, m2st::test::shared_path("golden/cluster/" + name));
}

inline std::vector<std::int32_t> golden_labels(CpuContext& context, const std::string& name) {
  const Matrix<std::int32_t> labels = data::read_npy<std::int32_t>(
      context, m2st::test::shared_path("golden/cluster/" + name + ".labels.npy"));
  return {labels.span().begin(), labels.span().end()};
}

inline GoldenClustering golden_clustering(CpuContext& context) {
  std::ifstream file(m2st::test::shared_path("golden/cluster/golden.json"));
  const nlohmann::json json = nlohmann::json::parse(file);
  GoldenClustering golden;
  golden.options.clusters = json["clusters"];
  golden.options.iterations = 20;
  golden.options.lambda1 = json["lambda1"];
  golden.options.lambda2 = json["lambda2"];
  golden.options.lambda3 = json["lambda3"];
  golden.options.specific_dim = json["spec_dim"];
  golden.options.common_dim = json["common_dim"];
  golden.iterations = json["iterations"];
  std::vector<Matrix<double>> unscaled;
  std::vector<MatrixView<const double>> views;
  for (int m = 0; m < json["views"].get<int>(); ++m) {
    unscaled.push_back(golden_matrix(context, "data" + std::to_string(m) + ".npy"));
    views.push_back(unscaled.back().view());
  }
  golden.data = reference_data<double>(context, views, true);
  return golden;
}

// `moment`: init, iter1 or iter5.
inline ReferenceState golden_state(CpuContext& context, const std::string& moment,
                                   std::size_t views) {
  const auto matrix = [&](const std::string& name, std::size_t m) {
    return golden_matrix(context, moment + "." + name + std::to_string(m) + ".npy");
  };
  ReferenceState state;
  for (std::size_t m = 0; m < views; ++m) {
    state.views.push_back({matrix("S", m), matrix("P", m), matrix("W", m), matrix("V", m)});
  }
  state.common = golden_matrix(context, moment + ".H.npy");
  state.common_centres = matrix("V", views);
  state.labels = golden_labels(context, moment);
  return state;
}

}  // namespace m2st::cluster::test
