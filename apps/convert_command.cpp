// convert: what a file or folder of expression holds, as one .h5ad or as a folder that R and every
// other tool reads (10x MTX, positions beside it).
#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <memory>

#include "apps/command.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/read_settings.h"
#include "apps/pipeline/results.h"
#include "apps/pipeline/run_settings.h"
#include "data/io/h5ad_results.h"
#include "data/io/read_expression.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

struct ConvertOptions {
  std::string input;
  std::string output;
  data::ReadOptions read;
  bool force = false;
  bool quiet = false;
  int threads = 0;
};

// Cells are columns in 10x's form; both count from 1.
std::string matrix_market(const data::Expression& expression) {
  const data::SparseMatrix& values = expression.values;
  std::string text = fmt::format("%%MatrixMarket matrix coordinate {} general\n{} {} {}\n",
                                 expression.counts ? "integer" : "real", values.columns,
                                 values.rows, values.entries());
  auto out = std::back_inserter(text);
  for (std::int64_t i = 0; i < values.rows; ++i) {
    for (std::int64_t e = values.offsets[i]; e < values.offsets[i + 1]; ++e) {
      fmt::format_to(out, "{} {} {}\n", values.indices[e] + 1, i + 1, values.values[e]);
    }
  }
  return text;
}

std::string features_tsv(const data::Expression& expression) {
  std::string text;
  for (std::size_t g = 0; g < expression.genes.size(); ++g) {
    const std::string& name = expression.genes[g];
    const std::string& id = expression.gene_ids.empty() ? name : expression.gene_ids[g];
    text += id + "\t" + name + "\tGene Expression\n";
  }
  return text;
}

void write_folder(const ConvertOptions& options, const data::Expression& expression) {
  OutputFolder folder(options.output, options.force);
  std::string barcodes;
  for (const std::string& cell : expression.cells) barcodes += cell + "\n";
  folder.write("matrix.mtx", matrix_market(expression));
  folder.write("features.tsv", features_tsv(expression));
  folder.write("barcodes.tsv", barcodes);
  if (!expression.coordinates.empty()) {
    folder.write("coords.csv", coordinates_csv(expression.cells, expression.coordinates.view()));
  }
  if (!expression.sections.empty()) {
    folder.write("sections.csv", names_csv("section", expression.cells, expression.sections));
  }
  if (!expression.labels.empty()) {
    folder.write("labels.csv", names_csv("label", expression.cells, expression.labels));
  }
  folder.commit();
}

void write_file(const ConvertOptions& options, const data::Expression& expression) {
  if (!options.force && std::filesystem::exists(options.output)) {
    fail(ExitCode::kOutput, options.output, ": is there already; give --force to replace it");
  }
  data::H5adResults results;
  if (!expression.graph.offsets.empty()) results.graph = &expression.graph;
  data::write_new(expression, options.output, {}, results);
}

void run_convert(const ConvertOptions& options) {
  CpuContext context(options.threads);
  const data::Expression expression = data::read_expression(context, options.input, options.read);
  for (const std::string& warning : expression.warnings) {
    fmt::print(stderr, "m2st: warning: {}\n", warning);
  }
  if (options.output.ends_with(".h5ad")) {
    write_file(options, expression);
  } else {
    write_folder(options, expression);
  }
  if (options.quiet) return;
  fmt::print(stderr, "m2st: {}\n", expression.format);
  for (const std::string& line : expression.found) fmt::print(stderr, "m2st: {}\n", line);
  for (const std::string& line : expression.skipped) {
    fmt::print(stderr, "m2st: not taken over: {}\n", line);
  }
}

}  // namespace

Command convert_command() {
  const auto options = std::make_shared<ConvertOptions>();
  Command command{"convert", "expression of any format to .h5ad or a 10x MTX folder", {}, {}};
  command.settings = {
      {"input",
       "INPUT",
       "file or folder of expression, as run takes it",
       "Input",
       &options->input,
       {},
       true},
      {"--coords", "FILE", "positions of the cells, joined by their names", "Input",
       &options->read.coordinates},
      {"--use-graph", "NAME", ".h5ad: neighbours from obsp/NAME, to take over", "Input",
       &options->read.use_graph},
  };
  for (Setting& setting : read_settings(options->read)) command.settings.push_back(setting);
  command.settings.push_back({"-o,--out",
                              "OUT.h5ad|DIR",
                              "what to write, by its ending",
                              "Output",
                              &options->output,
                              {},
                              true});
  command.settings.push_back({"--force", "", "replace what is there", "Output", &options->force});
  command.settings.push_back({"-q,--quiet", "", "errors only", "Common", &options->quiet});
  command.settings.push_back(threads_setting(options->threads));
  command.execute = [options](const std::vector<std::string>&) { run_convert(*options); };
  return command;
}

}  // namespace m2st::apps
