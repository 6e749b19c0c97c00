// What is written is what the other stages read: tables carry the cells' names, rows their order.
#include "apps/pipeline/prepare_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "apps/pipeline/results.h"
#include "data/io/graph_file.h"
#include "data/io/npy.h"

namespace m2st::apps {

namespace {

template <class T>
void keep(const std::vector<std::int32_t>& kept, std::vector<T>& values) {
  if (values.empty()) return;
  std::vector<T> out;
  for (const std::int32_t i : kept) out.push_back(std::move(values[i]));
  values = std::move(out);
}

template <class T>
void keep(CpuContext& context, const std::vector<std::int32_t>& kept, Matrix<T>& rows) {
  if (rows.empty()) return;
  Matrix<T> out(context.pool(), static_cast<std::int64_t>(kept.size()), rows.cols());
  for (std::int64_t i = 0; i < out.rows(); ++i) {
    const Span<const T> row = std::as_const(rows).view().row(kept[i]);
    std::copy(row.begin(), row.end(), out.view().row(i).begin());
  }
  rows = std::move(out);
}

// The graph between the cells that are left.
data::Adjacency induced(const data::Adjacency& whole, const std::vector<std::int32_t>& kept) {
  std::vector<std::int32_t> place(static_cast<std::size_t>(whole.nodes()), -1);
  for (std::size_t i = 0; i < kept.size(); ++i) place[kept[i]] = static_cast<std::int32_t>(i);
  data::Adjacency part;
  part.offsets.push_back(0);
  for (const std::int32_t cell : kept) {
    for (std::int64_t e = whole.offsets[cell]; e < whole.offsets[cell + 1]; ++e) {
      const std::int32_t neighbour = place[whole.neighbours[e]];
      if (neighbour >= 0) part.neighbours.push_back(neighbour);
    }
    part.offsets.push_back(static_cast<std::int64_t>(part.neighbours.size()));
  }
  return part;
}

void keep_cells(CpuContext& context, const std::vector<std::int32_t>& kept, Dataset& dataset) {
  if (static_cast<std::int64_t>(kept.size()) == dataset.nodes) return;
  keep(context, kept, dataset.coordinates);
  keep(kept, dataset.cells);
  keep(kept, dataset.sections);
  keep(kept, dataset.truth);
  keep(kept, dataset.expression.labels);
  if (dataset.has_adjacency()) dataset.adjacency = induced(dataset.adjacency, kept);
  dataset.nodes = static_cast<std::int64_t>(kept.size());
}

std::string genes_csv(const data::Expression& expression, const std::vector<std::int32_t>& genes) {
  const bool identified = !expression.gene_ids.empty();
  std::string text = identified ? "gene,id\n" : "gene\n";
  for (const std::int32_t gene : genes) {
    text += csv_field(expression.genes[gene]);
    if (identified) text += ',' + csv_field(expression.gene_ids[gene]);
    text += '\n';
  }
  return text;
}

std::string scores_csv(const data::Expression& expression, const data::Prepared& prepared) {
  std::string text = "gene,score,chosen\n";
  for (std::size_t i = 0, next = 0; i < prepared.scored.size(); ++i) {
    const std::int32_t gene = prepared.scored[i];
    const bool chosen = next < prepared.genes.size() && prepared.genes[next] == gene;
    if (chosen) ++next;
    fmt::format_to(std::back_inserter(text), "{},{},{}\n", csv_field(expression.genes[gene]),
                   prepared.scores[i], chosen ? 1 : 0);
  }
  return text;
}

std::string variance_csv(const data::Prepared& prepared) {
  std::string text = "component,variance,variance_ratio\n";
  for (std::size_t c = 0; c < prepared.variances.size(); ++c) {
    fmt::format_to(std::back_inserter(text), "{},{},{}\n", c + 1, prepared.variances[c],
                   prepared.variances[c] / prepared.total_variance);
  }
  return text;
}

// As scanpy's varm["PCs"]: a row for every gene.
std::string loadings_bytes(const Matrix<double>& axes) {
  std::vector<double> turned;
  for (std::int64_t g = 0; g < axes.cols(); ++g) {
    for (std::int64_t c = 0; c < axes.rows(); ++c) turned.push_back(axes(c, g));
  }
  return data::npy_bytes<double>({turned.data(), axes.cols(), axes.rows()});
}

}  // namespace

void prepare_features(CpuContext& context, const data::DenseWork& dense, Dataset& dataset,
                      const data::PrepareOptions& options, RunRecord& record) {
  PrepareRecord& note = record.prepare.emplace();
  note.cells_read = dataset.expression.values.rows;
  note.genes_read = dataset.expression.values.columns;
  data::Prepared& prepared = dataset.prepared.emplace();
  prepared = data::prepare(context, dataset.expression, options, dense);
  dataset.features = std::move(prepared.features);
  keep_cells(context, prepared.cells, dataset);
  note.genes = static_cast<std::int64_t>(prepared.genes.size());
  note.steps = prepared.steps;
  note.variances = prepared.variances;
  note.total_variance = prepared.total_variance;
  record.warnings.insert(record.warnings.end(), prepared.warnings.begin(), prepared.warnings.end());
}

void write_prepared(OutputFolder& folder, const Dataset& dataset) {
  folder.write("features.npy", data::npy_bytes<float>(dataset.features.view()));
  folder.write("genes.csv", genes_csv(dataset.expression, dataset.prepared->genes));
  if (!dataset.coordinates.empty())
    folder.write("coords.csv", coordinates_csv(dataset.cells, dataset.coordinates.view()));
  if (!dataset.sections.empty()) {
    folder.write("sections.csv", names_csv("section", dataset.cells, dataset.sections));
  }
  if (!dataset.expression.labels.empty()) {
    folder.write("labels.csv", names_csv("label", dataset.cells, dataset.expression.labels));
  }
  if (dataset.has_adjacency()) {
    const std::vector<float> ones(dataset.adjacency.neighbours.size(), 1);
    folder.write("graph.npz", data::graph_npz(dataset.adjacency, ones));
  };
  if (!dataset.prepared->scored.empty()) {
    folder.write("variable_genes.csv", scores_csv(dataset.expression, *dataset.prepared));
  }
  if (dataset.prepared->axes.empty()) return;
  folder.write("loadings.npy", loadings_bytes(dataset.prepared->axes));
  folder.write("variance.csv", variance_csv(*dataset.prepared));
}

}  // namespace m2st::apps
