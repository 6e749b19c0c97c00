// The golden values of one pass through the autoencoder (computed elsewhere in float64), loaded
// into the engine's own types.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "autograd/parameters.h"
#include "data/graph/graph.h"
#include "data/io/npy.h"
#include "engine/context.h"
#include "engine/copy.h"
#include "model/autoencoder.h"
#include "tests/support/shared_data.h"

namespace m2st::test {

template <class T>
Matrix<T> golden_matrix(Context& context, const std::string& name) {
  return data::read_npy<T>(context.host(), shared_path("golden/tiny/" + name + ".npy"));
}

template <class T>
std::vector<T> golden_vector(Context& context, const std::string& name) {
  const Matrix<T> matrix = golden_matrix<T>(context, name);
  return {matrix.span().begin(), matrix.span().end()};
}

// Little-endian float64 of any shape, flat: attention vectors are stored as (1, heads, features).
inline std::vector<double> golden_doubles(const std::string& name) {
  const std::string path = shared_path("golden/tiny/" + name + ".npy");
  const data::NpyHeader header = data::read_npy_header(path);
  if (header.type != "<f8") throw std::runtime_error(path + " is not float64");
  std::int64_t size = 1;
  for (const std::int64_t extent : header.shape) size *= extent;
  std::vector<double> values(static_cast<std::size_t>(size));
  std::ifstream file(path, std::ios::binary);
  file.seekg(header.data_offset);
  file.read(reinterpret_cast<char*>(values.data()), size * 8);
  if (!file) throw std::runtime_error(path + " is too short");
  return values;
}

template <class T>
struct Golden {
  explicit Golden(Context& context)
      : json(nlohmann::json::parse(std::ifstream(shared_path("golden/tiny/golden.json")))),
        features(golden_matrix<T>(context, "features")),
        masked(golden_vector<std::int32_t>(context, "masked_nodes")) {
    config.hidden = json.at("hidden");
    config.feature_dropout = 0;
    config.attention_dropout = 0;
    const data::Adjacency adjacency{golden_vector<std::int64_t>(context, "graph_indptr"),
                                    golden_vector<std::int32_t>(context, "graph_indices")};
    graph = data::graph_with_self_loops(context.host(), adjacency);
    mask = model::token_mask(masked, graph.ids);
  }

  // Parameters with the golden start values.
  autograd::ParameterBlock<T> parameters(Context& context,
                                         const model::Autoencoder& autoencoder) const {
    autograd::ParameterBlock<T> block(context, autoencoder.layout(), 0);
    for (int index = 0; index < block.layout().count(); ++index) {
      const std::vector<double> values = golden_doubles("param." + block.layout()[index].name);
      if (std::ssize(values) != block.value(index).size()) {
        throw std::runtime_error(block.layout()[index].name + " has another size");
      }
      const std::vector<T> start(values.begin(), values.end());
      context.dispatch([&](auto& c) { copy_in<T>(c, start, block.value(index).span()); });
    }
    return block;
  }

  nlohmann::json json;
  Matrix<T> features;
  std::vector<std::int32_t> masked;
  model::AutoencoderConfig config;
  data::Graph graph;
  model::MaskDraw mask;
};

}  // namespace m2st::test
