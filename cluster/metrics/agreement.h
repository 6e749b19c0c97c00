// Agreement of two labelings. Cells where either label is negative (unlabelled) are left out;
// when none is left every figure is NaN.
#pragma once

#include <cstdint>

#include "engine/view.h"

namespace m2st::cluster {

struct Agreement {
  std::int64_t cells = 0;  // counted
  double ari = 0;          // adjusted Rand index (Hubert and Arabie 1985); 1 for two trivial ones
  double nmi_max = 0;      // MI / max(H1, H2); likewise arithmetic and geometric mean;
  double nmi_arithmetic = 0;  // 1 when both labelings are one cluster, 0 when one of them is
  double nmi_geometric = 0;
  double accuracy = 0;      // best one-to-one matching (Hungarian)
  double purity = 0;        // of `labels` with respect to `truth`
  double homogeneity = 0;   // MI / H(truth), 1 when H(truth) is 0 (Rosenberg and Hirschberg 2007)
  double completeness = 0;  // MI / H(labels), 1 when H(labels) is 0
};

Agreement agreement(Span<const std::int32_t> labels, Span<const std::int32_t> truth);

// The adjusted Rand index alone, of two labelings given by their contingency table (clusters ×
// classes, counts; empty rows and columns do not matter).
double adjusted_rand_index(MatrixView<const std::int64_t> table);

}  // namespace m2st::cluster
