// score: every number about a labeling, as one JSON object on stdout.
#include <memory>

#include "apps/command.h"
#include "apps/pipeline/dataset.h"
#include "apps/pipeline/run_settings.h"
#include "apps/pipeline/score.h"
#include "apps/report/manifest.h"
#include "apps/standard_output.h"
#include "data/io/dataset.h"
#include "data/io/table.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

struct ScoreOptions {
  std::string labels;
  std::string truth;
  std::string coordinates;
  std::string embedding;
  std::string label_column;
  std::string truth_column;
  int threads = 0;
};

void require_cells(std::int64_t rows, std::size_t cells, const std::string& path,
                   const std::string& labels_path) {
  if (rows != static_cast<std::int64_t>(cells)) {
    fail(ExitCode::kInputInvalid, path, ": ", rows, " rows, but ", labels_path, " has ", cells,
         " labels; both must list the same cells in the same order");
  }
}

void run_score(const ScoreOptions& options) {
  CpuContext context(options.threads);
  const data::LabelTable labels = data::read_labels(context, options.labels, options.label_column);
  const std::size_t cells = labels.labels.size();
  std::vector<std::int32_t> truth;
  if (!options.truth.empty()) {
    truth = aligned_codes(labels, data::read_labels(context, options.truth, options.truth_column),
                          options.truth);
  }
  Matrix<double> coordinates;
  if (!options.coordinates.empty()) {
    coordinates = read_positions(context, options.coordinates).coordinates;
    require_cells(coordinates.rows(), cells, options.coordinates, options.labels);
  }
  Matrix<float> embedding;
  if (!options.embedding.empty()) {
    embedding = data::read_features(context, options.embedding);
    require_cells(embedding.rows(), cells, options.embedding, options.labels);
  }
  const std::vector<std::int32_t> codes = data::label_codes(labels.labels);
  write_standard_output(
      scores_text(score(context, codes, truth, coordinates.view(), embedding.view())));
}

}  // namespace

Command score_command() {
  const auto options = std::make_shared<ScoreOptions>();
  Command command{"score", "labels (and truth, coordinates, embedding) to one JSON object", {}, {}};
  command.settings = {
      {"--labels", "FILE", "domains.csv, or one label a line", "Input", &options->labels, {}, true},
      {"--truth", "FILE", "known domains of the same cells", "Input", &options->truth},
      {"--coords", "FILE", "positions, for CHAOS and PAS", "Input", &options->coordinates},
      {"--embedding", "FILE", "for silhouette, Davies-Bouldin and Calinski-Harabasz", "Input",
       &options->embedding},
      {"--label-column", "NAME", "of a CSV with a header; the second without it", "Input",
       &options->label_column},
      {"--truth-column", "NAME", "the same for --truth", "Input", &options->truth_column},
      threads_setting(options->threads),
  };
  command.execute = [options](const std::vector<std::string>&) { run_score(*options); };
  return command;
}

}  // namespace m2st::apps
