// Formatting of the result files.
#include "apps/pipeline/results.h"

#include <fmt/format.h>

#include <iterator>

#include "apps/report/domains_svg.h"
#include "data/io/graph_file.h"
#include "data/io/npy.h"

namespace m2st::apps {

namespace {

template <class T>
std::string column_bytes(const std::vector<T>& values) {
  const auto rows = static_cast<std::int64_t>(values.size());
  return data::npy_bytes<T>(MatrixView<const T>{values.data(), rows, 1}, true);
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

std::string coordinates_csv(const std::vector<std::string>& cells,
                            MatrixView<const double> coordinates) {
  std::string text = coordinates.cols == 3 ? "cell,x,y,z\n" : "cell,x,y\n";
  auto out = std::back_inserter(text);
  for (std::int64_t i = 0; i < coordinates.rows; ++i) {
    text += csv_field(cells[i]);
    for (const double value : coordinates.row(i)) fmt::format_to(out, ",{}", value);
    text += '\n';
  }
  return text;
}

std::string names_csv(const std::string& header, const std::vector<std::string>& cells,
                      const std::vector<std::string>& names) {
  std::string text = "cell," + header + "\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += csv_field(cells[i]) + ',' + csv_field(names[i]) + '\n';
  }
  return text;
}

void write_graph(CpuContext& context, OutputFolder& folder, const data::SpatialGraph& graph,
                 const data::SpatialGraphOptions& options, MatrixView<const double> coordinates) {
  const data::Adjacency& adjacency = graph.adjacency;
  folder.write("graph_indptr.npy", column_bytes(adjacency.offsets));
  folder.write("graph_indices.npy", column_bytes(adjacency.neighbours));
  const data::WeightedGraph weighted = data::connectivities_of(context, graph, options);
  folder.write("graph.npz", data::graph_npz(weighted.adjacency, weighted.weights));
  folder.write("graph_distances.npz",
               data::graph_npz(adjacency, data::distances_of(context, graph, coordinates)));
}

void write_embeddings(OutputFolder& folder, const std::vector<Matrix<float>>& embeddings) {
  for (std::size_t m = 0; m < embeddings.size(); ++m) {
    folder.write(fmt::format("embedding_scale{}.npy", m + 1),
                 data::npy_bytes<float>(embeddings[m].view()));
  }
}

std::string domains_csv(const std::vector<std::string>& cells,
                        const cluster::DomainResult& domains) {
  const bool confident = !domains.confidence.empty();
  std::string text = confident ? "cell,domain,confidence\n" : "cell,domain\n";
  auto out = std::back_inserter(text);
  for (std::size_t i = 0; i < domains.labels.size(); ++i) {
    if (cells.empty()) {
      fmt::format_to(out, "{},{}", i, domains.labels[i]);
    } else {
      fmt::format_to(out, "{},{}", csv_field(cells[i]), domains.labels[i]);
    }
    if (confident) fmt::format_to(out, ",{:.4f}", domains.confidence[i]);
    text += '\n';
  }
  return text;
}

void write_domains(OutputFolder& folder, const Dataset& dataset,
                   const cluster::DomainResult& domains) {
  folder.write("domains.csv", domains_csv(dataset.cells, domains));
  if (dataset.coordinates.empty()) return;
  folder.write("domains.svg", domains_svg(dataset.coordinates.view(), domains.labels,
                                          fmt::format("{} cells", dataset.nodes)));
}

std::string domain_counts_csv(const cluster::DomainCount& count) {
  std::string text = "domains,log_likelihood,criterion\n";
  for (const cluster::DomainCountPoint& point : count.curve) {
    fmt::format_to(std::back_inserter(text), "{},{},{}\n", point.domains, point.log_likelihood,
                   point.criterion);
  }
  return text;
}

}  // namespace m2st::apps
