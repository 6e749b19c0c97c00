// Gathers what data/io/h5ad_results.h takes, in the rows of the input.
#include "apps/pipeline/result_file.h"

#include <unistd.h>

#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "apps/report/palette.h"
#include "data/io/h5ad_results.h"
#include "data/io/hdf5_handle.h"
#include "data/io/read_expression.h"
#include "engine/check.h"
#include "m2st_version.h"

namespace m2st::apps {

namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

bool is_h5ad(const Dataset& dataset) { return dataset.expression.format.starts_with("AnnData"); }

// The results with a row for every cell of the input, where preparation left some out.
class AllRows {
 public:
  AllRows(const Dataset& dataset, std::int64_t rows) : rows_(rows) {
    if (dataset.prepared && static_cast<std::int64_t>(dataset.prepared->cells.size()) < rows) {
      kept_ = dataset.prepared->cells;
    }
  }
  bool complete() const { return kept_.empty(); }

  template <class T>
  std::vector<T> values(const std::vector<T>& given, T none) const {
    if (complete() || given.empty()) return given;
    std::vector<T> all(static_cast<std::size_t>(rows_), none);
    for (std::size_t i = 0; i < kept_.size(); ++i) all[kept_[i]] = given[i];
    return all;
  }
  Matrix<float> matrix(CpuContext& context, const Matrix<float>& given) const {
    Matrix<float> all(context.pool(), rows_, given.cols());
    std::fill_n(all.data(), all.size(), kNone);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const auto row = given.view().row(static_cast<std::int64_t>(i));
      std::copy(row.begin(), row.end(), all.view().row(kept_[i]).begin());
    }
    return all;
  }
  // Kept cells ascend, so edges keep their order and distances stay theirs.
  data::Adjacency graph(const data::Adjacency& given) const {
    data::Adjacency all;
    all.offsets.assign(static_cast<std::size_t>(rows_) + 1, 0);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      all.offsets[static_cast<std::size_t>(kept_[i]) + 1] = given.offsets[i + 1] - given.offsets[i];
    }
    for (std::size_t i = 1; i < all.offsets.size(); ++i) all.offsets[i] += all.offsets[i - 1];
    for (const std::int32_t end : given.neighbours) all.neighbours.push_back(kept_[end]);
    return all;
  }

 private:
  std::int64_t rows_;
  std::vector<std::int32_t> kept_;
};

// As squidpy describes its graphs.
data::Facts graph_facts(const RunOptions& options, const GraphRecord& graph) {
  data::Facts facts = {{"coord_type", std::string(graph.kind == "grid" ? "grid" : "generic")},
                       {"kind", graph.kind}};
  if (!graph.semantics.empty()) facts.emplace_back("semantics", graph.semantics);
  if (graph.neighbours > 0) facts.emplace_back("n_neighbors", std::int64_t{graph.neighbours});
  if (graph.radius > 0) facts.emplace_back("radius", graph.radius);
  if (graph.kind == "grid") facts.emplace_back("n_rings", std::int64_t{options.graph.rings});
  if (options.graph.percentile < 100) facts.emplace_back("percentile", options.graph.percentile);
  if (graph.semantics == "squidpy") {
    facts.emplace_back("transform", data::to_string(options.graph.transform));
  }
  return facts;
}

data::Facts run_facts(const RunOptions& options, const RunRecord& record) {
  data::Facts facts = {{"version", std::string(kVersion)},
                       {"device", record.device},
                       {"seed", static_cast<std::int64_t>(options.seed)},
                       {"n_domains", std::int64_t{options.cluster.domains}},
                       {"method", record.cluster->method}};
  if (record.train) {
    facts.emplace_back("hidden", std::int64_t{options.autoencoder.hidden});
    facts.emplace_back("scales", std::int64_t{record.train->scales});
    facts.emplace_back("losses", record.train->losses);
    facts.emplace_back("training_end", record.train->end);
  }
  if (record.prepare) facts.emplace_back("preparation", record.prepare->steps);
  return facts;
}

// The input again: preparation has taken its values.
data::Expression read_again(CpuContext& context, const RunOptions& options,
                            const Dataset& dataset) {
  data::Expression expression;
  if (!options.input.expression.empty()) {
    data::ReadOptions read = options.read;
    read.coordinates = options.input.coordinates;
    return data::read_expression(context, options.input.expression, read);
  }
  expression.cells = dataset.cells;
  for (std::int64_t i = 0; dataset.cells.empty() && i < dataset.nodes; ++i) {
    expression.cells.push_back(std::to_string(i));
  }
  const auto copied = [&](const auto& from, auto& to) {
    to = std::decay_t<decltype(to)>(context.pool(), from.rows(), from.cols());
    std::copy(from.span().begin(), from.span().end(), to.data());
  };
  copied(dataset.features, expression.features);
  copied(dataset.coordinates, expression.coordinates);
  expression.sections = dataset.sections;
  return expression;
}

void write_to(CpuContext& context, const std::string& target, const RunOptions& options,
              const Dataset& dataset, const data::H5adResults& results, RunRecord& record) {
  const std::string& source = options.input.expression;
  if (is_h5ad(dataset) && data::takes_results(source)) {
    const data::H5adPlaces places = data::h5ad_places(source, results);
    record.warnings.insert(record.warnings.end(), places.warnings.begin(), places.warnings.end());
    data::write_results(source, target, places, results);
    return;
  }
  if (is_h5ad(dataset)) {
    record.warnings.push_back(source + ": is of the layout before anndata 0.7; result.h5ad is " +
                              "written anew, with values, names and positions only");
  }
  data::H5adPlaces places;
  places.key = results.key;
  data::write_new(read_again(context, options, dataset), target, places, results);
}

}  // namespace

void check_in_place(const RunOptions& options) {
  if (!options.in_place) return;
  const std::string& path = options.input.expression;
  if (path.empty() || std::filesystem::is_directory(path) || !data::is_hdf5(path)) {
    fail(ExitCode::kUsage, "--in-place: only an .h5ad INPUT can take results, not ",
         path.empty() ? "files of features" : path, "; leave it out for ", options.output,
         "/result.h5ad");
  }
  if (!data::takes_results(path)) {
    fail(ExitCode::kInputInvalid, path, ": is of the layout before anndata 0.7, or no .h5ad, ",
         "which takes no results in place; leave out --in-place, or save it again with anndata");
  }
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::canonical(path, ignored).parent_path();
  if (::access(folder.c_str(), W_OK) != 0) {
    fail(ExitCode::kOutput, path, ": cannot be replaced: its folder may not be written to; leave ",
         "out --in-place");
  }
}

void write_result_file(CpuContext& context, OutputFolder& folder, const RunOptions& options,
                       const Dataset& dataset, const BuiltGraph& graph,
                       const std::vector<Matrix<float>>& embeddings,
                       const cluster::DomainResult& domains, RunRecord& record) {
  const AllRows all(dataset, record.prepare ? record.prepare->cells_read : dataset.nodes);
  data::H5adResults results;
  results.domains = options.cluster.domains;
  const std::vector<std::int32_t> labels = all.values(domains.labels, std::int32_t{-1});
  const std::vector<float> confidence = all.values(domains.confidence, kNone);
  results.labels = labels;
  results.confidence = confidence;
  std::vector<Matrix<float>> widened;
  for (const Matrix<float>& embedding : embeddings) {
    if (!all.complete()) widened.push_back(all.matrix(context, embedding));
    results.embeddings.push_back(all.complete() ? embedding.view()
                                                : std::as_const(widened.back()).view());
  }
  const bool own = options.input.adjacency.starts_with("obsp/") && is_h5ad(dataset);
  data::Adjacency widened_graph;
  if (!all.complete()) widened_graph = all.graph(graph.built.adjacency);
  std::vector<double> distances;
  if (!own && !dataset.coordinates.empty()) {
    distances = data::distances_of(context, graph.built, dataset.coordinates.view());
  }
  if (!own) results.graph = all.complete() ? &graph.built.adjacency : &widened_graph;
  data::WeightedGraph weighted;
  if (!own && !data::has_plain_connectivities(options.graph)) {
    weighted = data::connectivities_of(context, graph.built, options.graph);
    if (!all.complete()) weighted.adjacency = all.graph(weighted.adjacency);
    results.connectivities = &weighted;
  }
  results.distances = distances;
  results.graph_facts = graph_facts(options, *record.graph);
  for (int k = 0; k < results.domains; ++k) {
    results.colours.push_back(domain_colour(k, results.domains));
  }
  results.facts = run_facts(options, record);
  if (options.in_place) {
    write_to(context, options.input.expression, options, dataset, results, record);
  } else {
    write_to(context, folder.staged("result.h5ad"), options, dataset, results, record);
    folder.adopt("result.h5ad");
  }
}

}  // namespace m2st::apps
