// Scores from the metrics of cluster/metrics; the silhouette is exact while that is affordable.
#include "apps/pipeline/score.h"

#include <algorithm>
#include <unordered_map>

#include "cluster/metrics/separation.h"
#include "cluster/metrics/spatial.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

// Pairs of cells that a silhouette may look at: exact up to 10,000 cells, a sample beyond.
constexpr std::int64_t kSilhouettePairs = 100'000'000;
constexpr std::int64_t kLeastSample = 256;
constexpr std::uint64_t kSampleSeed = 0;

void score_separation(CpuContext& context, MatrixView<const float> embedding,
                      Span<const std::int32_t> labels, Scores& scores) {
  const std::int64_t n = embedding.rows;
  const std::int64_t sample = std::max(kLeastSample, kSilhouettePairs / n);
  if (sample >= n) {
    scores.silhouette = cluster::silhouette_exact(context, embedding, labels);
  } else {
    scores.silhouette =
        cluster::silhouette_sampled(context, embedding, labels, sample, kSampleSeed);
  }
  scores.silhouette_cells = std::min(sample, n);
  scores.davies_bouldin = cluster::davies_bouldin(context, embedding, labels);
  scores.calinski_harabasz = cluster::calinski_harabasz(context, embedding, labels);
}

// Whether the names are the row numbers that domains.csv has when the cells had no names.
bool are_row_numbers(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != std::to_string(i)) return false;
  }
  return true;
}

}  // namespace

Scores score(CpuContext& context, Span<const std::int32_t> labels, Span<const std::int32_t> truth,
             MatrixView<const double> coordinates, MatrixView<const float> embedding) {
  Scores scores;
  scores.cells = static_cast<std::int64_t>(labels.size());
  if (labels.empty()) return scores;
  if (!truth.empty()) {
    scores.agreement = cluster::agreement(labels, truth);
    scores.cells = scores.agreement->cells;
  }
  if (embedding.rows > 0) score_separation(context, embedding, labels, scores);
  if (coordinates.rows > 0) {
    scores.chaos = cluster::chaos(context, coordinates, labels);
    scores.pas = cluster::pas(context, coordinates, labels);
  }
  return scores;
}

std::vector<std::int32_t> aligned_codes(const data::LabelTable& labels,
                                        const data::LabelTable& truth,
                                        const std::string& truth_path) {
  if (labels.labels.size() != truth.labels.size()) {
    fail(ExitCode::kInputInvalid, truth_path, ": ", truth.labels.size(), " labels for ",
         labels.labels.size(), " cells; both must describe the same cells");
  }
  const std::vector<std::int32_t> codes = data::label_codes(truth.labels);
  const bool by_row = labels.cells.empty() || truth.cells.empty() ||
                      are_row_numbers(labels.cells) || are_row_numbers(truth.cells);
  if (by_row) return codes;
  std::unordered_map<std::string, std::int32_t> code_of;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (!code_of.emplace(truth.cells[i], codes[i]).second) {
      fail(ExitCode::kInputInvalid, truth_path, ": cell '", truth.cells[i], "' is named twice");
    }
  }
  std::vector<std::int32_t> aligned;
  aligned.reserve(labels.cells.size());
  for (const std::string& cell : labels.cells) {
    const auto found = code_of.find(cell);
    if (found == code_of.end()) {
      fail(ExitCode::kInputInvalid, truth_path, ": cell '", cell, "' has no label");
    }
    aligned.push_back(found->second);
  }
  return aligned;
}

}  // namespace m2st::apps
