// Reading and validating a run's inputs.
#include "apps/pipeline/dataset.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <utility>

#include "apps/pipeline/score.h"
#include "data/graph/given_graph.h"
#include "data/io/dataset.h"
#include "data/io/graph_file.h"
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

// The section of each cell; every cell needs one.
std::vector<std::string> read_sections(CpuContext& context, const Dataset& dataset,
                                       const std::string& path) {
  const data::LabelTable table = data::read_labels(context, path, "");
  data::LabelTable own;
  own.cells = dataset.cells;
  own.labels.resize(static_cast<std::size_t>(dataset.nodes));
  const std::vector<std::int32_t> codes = aligned_codes(own, table, path);
  std::vector<std::string> names;
  const std::vector<std::int32_t> known = data::label_codes(table.labels);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i] == static_cast<std::int32_t>(names.size())) names.push_back(table.labels[i]);
  }
  std::vector<std::string> sections;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] < 0) {
      fail(ExitCode::kInputInvalid, path, ": names no section of cell ", i,
           " (counted from 0); every cell needs one");
    }
    sections.push_back(names[static_cast<std::size_t>(codes[i])]);
  }
  const std::set<std::int32_t> used(codes.begin(), codes.end());
  if (dataset.nodes > 1 && used.size() == codes.size()) {
    fail(ExitCode::kInputInvalid, path, ": names ", used.size(), " sections for as many cells, so ",
         "no cell has a neighbour; the names are taken from the second column, or from the only "
         "one");
  }
  return sections;
}

// "obsp/NAME" is a graph inside the file of expression, all else is a file of its own.
std::string graph_inside(const InputFiles& input) {
  const std::string prefix = "obsp/";
  if (input.expression.empty() || !input.adjacency.starts_with(prefix)) return "";
  return input.adjacency.substr(prefix.size());
}

void take_expression(CpuContext& context, const InputFiles& input, data::ReadOptions read,
                     Dataset& dataset, std::vector<InputRecord>& inputs) {
  if (!input.features.empty()) {
    fail(ExitCode::kUsage, "--features ", input.features, " and ", input.expression,
         " exclude each other: features are made of the latter");
  }
  read.coordinates = input.coordinates;
  read.use_graph = graph_inside(input);
  dataset.expression = data::read_expression(context, input.expression, read);
  data::Expression& expression = dataset.expression;
  dataset.nodes = static_cast<std::int64_t>(expression.cells.size());
  dataset.cells = expression.cells;  // preparation names cells too
  dataset.features = std::move(expression.features);
  dataset.coordinates = std::move(expression.coordinates);
  dataset.sections = std::move(expression.sections);
  dataset.warnings = std::move(expression.warnings);
  if (!expression.labels.empty()) dataset.truth = data::label_codes(expression.labels);
  if (!expression.graph.offsets.empty()) {
    data::FitGraph fit = data::fit_graph(context, std::move(expression.graph), dataset.nodes,
                                         input.expression + ": " + input.adjacency);
    dataset.adjacency = std::move(fit.adjacency);
    dataset.warnings.insert(dataset.warnings.end(), fit.warnings.begin(), fit.warnings.end());
  }
  const bool folder = std::filesystem::is_directory(input.expression);
  inputs.push_back(
      {"expression", input.expression,
       folder ? 0 : static_cast<std::int64_t>(std::filesystem::file_size(input.expression)),
       expression.hash});
}

void read_adjacency(CpuContext& context, const std::string& path, Dataset& dataset,
                    std::vector<InputRecord>& inputs) {
  data::Adjacency given = data::read_graph(context, path);
  if (std::filesystem::is_directory(path)) {
    note_input("graph", path + "/graph_indptr.npy", inputs);
    note_input("graph", path + "/graph_indices.npy", inputs);
  } else {
    note_input("graph", path, inputs);
  }
  if (dataset.nodes == 0) dataset.nodes = given.nodes();
  data::FitGraph fit = data::fit_graph(context, std::move(given), dataset.nodes, path);
  dataset.adjacency = std::move(fit.adjacency);
  dataset.warnings = std::move(fit.warnings);
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

Dataset read_dataset(CpuContext& context, const InputFiles& input, const data::ReadOptions& read,
                     std::vector<InputRecord>& inputs) {
  Dataset dataset;
  std::string first;
  const auto take = [&](const std::string& role, const std::string& path, std::int64_t rows) {
    if (first.empty()) first = path;
    require_rows(dataset, rows, path, first);
    note_input(role, path, inputs);
  };
  if (!input.expression.empty()) {
    take_expression(context, input, read, dataset, inputs);
    first = input.expression;
  }
  if (!input.features.empty()) {
    dataset.features = data::read_features(context, input.features);
    take("features", input.features, dataset.features.rows());
  }
  for (const std::string& path : input.embeddings) {
    dataset.embeddings.push_back(data::read_features(context, path));
    take("embedding", path, dataset.embeddings.back().rows());
  }
  if (!input.coordinates.empty() && input.expression.empty()) {
    data::CoordinateTable table = read_positions(context, input.coordinates);
    dataset.coordinates = std::move(table.coordinates);
    dataset.cells = std::move(table.cells);
    take("coordinates", input.coordinates, dataset.coordinates.rows());
  }
  if (!input.adjacency.empty() && graph_inside(input).empty()) {
    read_adjacency(context, input.adjacency, dataset, inputs);
  }
  if (!input.sections.empty()) {
    dataset.sections = read_sections(context, dataset, input.sections);
    note_input("sections", input.sections, inputs);
  }
  if (!input.labels.empty()) {
    dataset.truth = read_truth(context, dataset, input.labels);
    note_input("labels", input.labels, inputs);
  }
  return dataset;
}

}  // namespace m2st::apps
