// How many domains there are, without a label: for every number in a range the spatial mixture of
// the default clustering, judged by Schwarz's criterion (BIC 1978) counting only as many cells as
// are independent after averaging in space. docs/domains.md tells how it was chosen and what it
// gives.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

struct DomainCountOptions {
  int least = 2;  // >= 1; the range ends at the number of cells
  int most = 25;
  std::uint64_t seed = 0;
};

struct DomainCountPoint {
  int domains = 0;
  double log_likelihood = 0;  // of the mixture, all cells counted
  double criterion = 0;       // less is better
};

struct DomainCount {
  int domains = 0;                      // the point with the least criterion, the first of equals
  double independent_cells = 0;         // what the criterion takes for N
  std::vector<DomainCountPoint> curve;  // one a number of domains, ascending
};

// The arguments are find_domains' (domains.h). Exit code 5 when the whole range lies above the
// number of cells.
DomainCount find_domain_count(CpuContext& context,
                              const std::vector<MatrixView<const float>>& embeddings,
                              MatrixView<const float> features, CsrView graph,
                              const DomainCountOptions& options);

}  // namespace m2st::cluster
