// Reading and validating a run's inputs.
#include "apps/pipeline/dataset.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "apps/pipeline/score.h"
#include "data/io/dataset.h"
#include "data/io/npy.h"
#include "data/io/output.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

constexpr std::int64_t kNamedCells = 5;  // as many as fit a line

void note_input(const std::string& role, const std::string& path,
                std::vector<InputRecord>& inputs) {
  InputRecord input{role, path, 0, data::file_hash(path)};
  input.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  inputs.push_back(std::move(input));
}

// The first file fixes the number of cells, the others must agree.
void require_rows(Dataset& dataset, std::int64_t rows, const std::string& path,
                  const std::string& first_path) {
  if (dataset.nodes == 0) dataset.nodes = rows;
  if (rows == 0) fail(ExitCode::kInputInvalid, path, ": has no rows");
  if (rows != dataset.nodes) {
    fail(ExitCode::kInputInvalid, path, ": ", rows, " rows, but ", first_path, " has ",
         dataset.nodes, "; both must list the same cells in the same order");
  }
}

std::vector<std::int32_t> read_truth(CpuContext& context, const Dataset& dataset,
                                     const std::string& path) {
  const data::LabelTable truth = data::read_labels(context, path, "");
  data::LabelTable own;
  own.cells = dataset.cells;
  own.labels.resize(static_cast<std::size_t>(dataset.nodes));
  return aligned_codes(own, truth, path);
}

}  // namespace

data::CoordinateTable read_positions(CpuContext& context, const std::string& path) {
  data::CoordinateTable table = data::read_coordinates(context, path);
  const Matrix<double>& positions = table.coordinates;
  std::int64_t bad = 0;
  std::string named;
  for (std::int64_t i = 0; i < positions.rows(); ++i) {
    const Span<const double> row = positions.view().row(i);
    if (std::all_of(row.begin(), row.end(), [](double x) { return std::isfinite(x); })) continue;
    if (++bad <= kNamedCells) named += (bad == 1 ? "" : ", ") + std::to_string(i);
  }
  if (bad > 0) {
    fail(ExitCode::kInputInvalid, path, ": ", bad, bad == 1 ? " cell has" : " cells have",
         " a position that is not finite (counted from 0: ", named,
         bad > kNamedCells ? ", ..." : "", "); remove these cells");
  }
  return table;
}

data::Adjacency read_adjacency(CpuContext& context, const std::string& folder) {
  const std::string offsets_path = folder + "/graph_indptr.npy";
  const std::string neighbours_path = folder + "/graph_indices.npy";
  const Matrix<std::int64_t> offsets = data::read_npy<std::int64_t>(context, offsets_path);
  const Matrix<std::int32_t> neighbours = data::read_npy<std::int32_t>(context, neighbours_path);
  if (offsets.size() == 0) fail(ExitCode::kInputInvalid, offsets_path, ": is empty");
  data::Adjacency adjacency;
  adjacency.offsets.assign(offsets.data(), offsets.data() + offsets.size());
  adjacency.neighbours.assign(neighbours.data(), neighbours.data() + neighbours.size());
  data::validate(adjacency, true);
  return adjacency;
}

Dataset read_dataset(CpuContext& context, const InputFiles& input,
                     std::vector<InputRecord>& inputs) {
  Dataset dataset;
  std::string first;
  const auto take = [&](const std::string& role, const std::string& path, std::int64_t rows) {
    if (first.empty()) first = path;
    require_rows(dataset, rows, path, first);
    note_input(role, path, inputs);
  };
  if (!input.features.empty()) {
    dataset.features = data::read_features(context, input.features);
    take("features", input.features, dataset.features.rows());
  }
  for (const std::string& path : input.embeddings) {
    dataset.embeddings.push_back(data::read_features(context, path));
    take("embedding", path, dataset.embeddings.back().rows());
  }
  if (!input.coordinates.empty()) {
    data::CoordinateTable table = read_positions(context, input.coordinates);
    dataset.coordinates = std::move(table.coordinates);
    dataset.cells = std::move(table.cells);
    take("coordinates", input.coordinates, dataset.coordinates.rows());
  }
  if (!input.adjacency.empty()) {
    dataset.adjacency = read_adjacency(context, input.adjacency);
    take("adjacency", input.adjacency + "/graph_indptr.npy", dataset.adjacency.nodes());
    note_input("adjacency", input.adjacency + "/graph_indices.npy", inputs);
  }
  if (!input.labels.empty()) {
    dataset.truth = read_truth(context, dataset, input.labels);
    note_input("labels", input.labels, inputs);
  }
  return dataset;
}

}  // namespace m2st::apps
