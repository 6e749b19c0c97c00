// AnnData's .h5ad, of every era: which matrix, which names, and what else was asked for.
#include <algorithm>
#include <utility>

#include "data/io/h5ad_frame.h"
#include "data/io/h5ad_space.h"
#include "data/io/hdf5_formats.h"
#include "data/io/hdf5_matrix.h"
#include "data/io/names.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

struct MatrixPlace {
  std::string values;
  std::string genes;
};

std::string era_of(Hdf5Source& source) {
  if (source.object("/").text("encoding-type") == "anndata") {
    return "AnnData .h5ad (0.8 or newer)";
  }
  return source.object("/obs").is_group() ? "AnnData .h5ad (0.7)" : "AnnData .h5ad (before 0.7)";
}

std::string layers_there(Hdf5Source& source) {
  const std::vector<std::string>& layers = source.object("/layers").children;
  return layers.empty() ? "none" : listed(layers, 30);
}

MatrixPlace chosen_matrix(Hdf5Source& source, const ReadOptions& options) {
  if (!options.layer.empty()) {
    if (options.use_raw) fail(ExitCode::kUsage, "--layer and --use-raw exclude each other");
    const std::string path = "/layers/" + options.layer;
    if (source.object(path).kind == Hdf5Kind::kAbsent) {
      fail(ExitCode::kInputInvalid, source.path(), ": layers/", options.layer,
           " not found; layers present: ", layers_there(source));
    }
    return {path, "/var"};
  }
  if (options.use_raw) {
    // Before 0.7 these were two objects of the root.
    for (const auto& place : {MatrixPlace{"/raw/X", "/raw/var"}, {"/raw.X", "/raw.var"}}) {
      if (source.object(place.values).kind != Hdf5Kind::kAbsent) return place;
    }
    fail(ExitCode::kInputInvalid, source.path(), ": has no raw/X; leave out --use-raw");
  }
  if (source.object("/X").kind == Hdf5Kind::kAbsent) {
    fail(ExitCode::kInputInvalid, source.path(),
         ": has no X; layers present: ", layers_there(source),
         "; use --layer, or --use-rep for features from obsm");
  }
  return {"/X", "/var"};
}

void read_genes(Hdf5Source& source, const std::string& path, Expression& expression) {
  H5adFrame genes(source, path);
  expression.genes = genes.index();
  for (const char* column : {"gene_ids", "gene_id", "ensembl_id"}) {
    if (expression.gene_ids.empty() && genes.has(column)) {
      expression.gene_ids = genes.texts(column);
    }
  }
  if (!genes.has("feature_types")) return;
  std::vector<std::string> kinds = genes.texts("feature_types");
  const auto others = std::count_if(kinds.begin(), kinds.end(), [](const std::string& kind) {
    return kind != "Gene Expression" && !kind.empty();
  });
  if (others > 0) {
    expression.warnings.push_back(concat(source.path(), ": ", others, " of ", kinds.size(),
                                         " features are no genes (var/feature_types) and are "
                                         "used as they are"));
  }
}

void read_values(CpuContext& context, Hdf5Source& source, const ReadOptions& options,
                 std::int64_t cells, Expression& expression) {
  const MatrixPlace place = chosen_matrix(source, options);
  read_genes(source, place.genes, expression);
  std::string form;
  expression.values = read_matrix(context, source, place.values, cells,
                                  static_cast<std::int64_t>(expression.genes.size()), form);
  // Layers are transformed on their own; what log1p notes is what became of X.
  const bool noted = source.object("/uns/log1p").kind != Hdf5Kind::kAbsent;
  expression.logged = noted && place.values == "/X";
  expression.found.push_back(
      concat("values: ", place.values.substr(1), ", ", form, ", ", cells, " cells by ",
             expression.genes.size(), " genes, ", expression.values.entries(), " not zero",
             expression.logged ? "; uns/log1p says they are logarithms" : ""));
}

void read_features(CpuContext& context, Hdf5Source& source, const ReadOptions& options,
                   std::int64_t cells, Expression& expression) {
  const Matrix<double> wide = read_obsm(context, source, options.use_representation, cells);
  expression.features = Matrix<float>(context.pool(), wide.rows(), wide.cols());
  std::transform(wide.data(), wide.data() + wide.size(), expression.features.data(),
                 [](double value) { return static_cast<float>(value); });
  expression.found.push_back(concat("features: obsm/", options.use_representation, ", ",
                                    wide.rows(), " by ", wide.cols()));
}

void read_columns(H5adFrame& obs, const ReadOptions& options, Expression& expression) {
  if (!options.library_key.empty()) {
    expression.sections = obs.texts(options.library_key);
    expression.found.push_back("sections: obs/" + options.library_key);
  }
  if (!options.truth_key.empty()) {
    expression.labels = obs.texts(options.truth_key);
    expression.found.push_back("labels: obs/" + options.truth_key);
  }
}

// Sections that share a coordinate system by chance would be joined.
void warn_of_sections(Hdf5Source& source, H5adFrame& obs, const ReadOptions& options,
                      Expression& expression) {
  if (!options.library_key.empty()) return;
  for (const char* column : {"library_id", "section", "section_id", "slice", "slice_id"}) {
    if (!obs.has(column) || obs.is_numeric(column)) continue;
    std::vector<std::string> names = obs.texts(column);
    std::sort(names.begin(), names.end());
    const auto kinds = std::unique(names.begin(), names.end()) - names.begin();
    if (kinds < 2) continue;
    expression.warnings.push_back(concat(source.path(), ": obs/", column, " has ", kinds,
                                         " values; if these are sections of tissue, give ",
                                         "--library-key ", column,
                                         ", or cells of different ones may become neighbours"));
    return;
  }
}

bool gives_positions(const Expression& expression, const std::string& key) {
  const std::string start = "positions: obsm/" + key + ",";
  return std::any_of(expression.found.begin(), expression.found.end(),
                     [&](const std::string& line) { return line.starts_with(start); });
}

// What lies beside what was taken, so that nobody wonders where it went.
void note_skipped(Hdf5Source& source, H5adFrame& obs, const ReadOptions& options,
                  Expression& expression) {
  const auto note = [&](const std::string& what, std::vector<std::string> keys,
                        const std::string& used, const std::string& how) {
    keys.erase(std::remove(keys.begin(), keys.end(), used), keys.end());
    if (!keys.empty()) expression.skipped.push_back(what + ": " + listed(keys, 30) + how);
  };
  const bool raw = source.object("/raw/X").kind != Hdf5Kind::kAbsent ||
                   source.object("/raw.X").kind != Hdf5Kind::kAbsent;
  if (raw && !options.use_raw) expression.skipped.push_back("raw/X: values (--use-raw takes them)");
  note("layers", source.object("/layers").children, options.layer, " (--layer takes one)");
  std::vector<std::string> tables = obsm_keys(source);
  std::erase_if(tables, [&](const std::string& key) { return gives_positions(expression, key); });
  note("obsm", tables, options.use_representation, " (--use-rep takes one as features)");
  note("obs", obs.columns(), options.truth_key,
       " (--truth-key and --library-key take one as labels or sections)");
  note("obsp", source.object("/obsp").children, options.use_graph, " (--use-graph takes one)");
  for (const char* group : {"varm", "varp", "uns"}) {
    note(group, source.object(std::string("/") + group).children, "", "");
  }
}

}  // namespace

Expression read_h5ad(CpuContext& context, Hdf5Source& source, const ReadOptions& options) {
  Expression expression;
  expression.format = era_of(source);
  H5adFrame obs(source, "/obs");
  expression.cells = obs.index();
  if (options.use_representation.empty()) {
    read_values(context, source, options, obs.rows(), expression);
  } else {
    read_features(context, source, options, obs.rows(), expression);
  }
  if (options.coordinates.empty()) {
    read_positions(context, source, obs, options, expression);
  }
  read_columns(obs, options, expression);
  warn_of_sections(source, obs, options, expression);
  if (!options.use_graph.empty()) read_own_graph(context, source, options.use_graph, expression);
  note_skipped(source, obs, options, expression);
  return expression;
}

}  // namespace m2st::data
