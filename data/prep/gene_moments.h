// Mean and variance of every gene over all cells, absent entries counted as zeros.
#pragma once

#include <vector>

#include "data/prep/sparse_matrix.h"

namespace m2st::data {

struct GeneMoments {
  std::vector<double> means;      // (G)
  std::vector<double> variances;  // (G), divided by N - 1; 0 with one cell
};

enum class EntryScale { kAsStored, kLogged };  // logged: of expm1 of the entries

// by_gene (G, N).
GeneMoments gene_moments(CpuContext& context, const SparseMatrix& by_gene, EntryScale scale);

}  // namespace m2st::data
