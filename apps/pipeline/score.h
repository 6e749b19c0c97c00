// Every number about a labeling that its inputs allow; what cannot be computed is absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/metrics/agreement.h"
#include "data/io/table.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::apps {

struct Scores {
  std::optional<cluster::Agreement> agreement;  // needs the truth
  std::optional<double> silhouette;             // these need an embedding
  std::int64_t silhouette_cells = 0;            // that the mean is over
  std::optional<double> davies_bouldin;
  std::optional<double> calinski_harabasz;
  std::optional<double> chaos;  // these need coordinates
  std::optional<double> pas;
  std::int64_t cells = 0;
};

// Empty `truth`, `coordinates` and `embedding` are left out.
Scores score(CpuContext& context, Span<const std::int32_t> labels, Span<const std::int32_t> truth,
             MatrixView<const double> coordinates, MatrixView<const float> embedding);

// The truth in the order of `labels`: joined by cell name where both tables name the same cells,
// else row by row. Exit code 4 when neither is possible.
std::vector<std::int32_t> aligned_codes(const data::LabelTable& labels,
                                        const data::LabelTable& truth,
                                        const std::string& truth_path);

}  // namespace m2st::apps
