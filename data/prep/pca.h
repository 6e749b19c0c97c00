// Exact principal components of a sparse matrix that is centred only in thought: column means are
// taken out of products, never out of entries, so nothing of the matrix's size becomes dense.
#pragma once

#include <vector>

#include "data/prep/sparse_matrix.h"
#include "engine/array.h"
#include "engine/context.h"

namespace m2st::data {

struct PrincipalComponents {
  Matrix<float> scores;           // (N, components), columns by falling variance
  Matrix<double> axes;            // (components, d); sign: largest |entry| of each axis positive
  std::vector<double> variances;  // (components), divided by N - 1
};

// by_cell (N, d) and by_gene = transposed(by_cell). components <= min(N, d), else exit code 5;
// exit code 9 when eigenvalues do not converge. dense: where square matrices are decomposed, the
// host when null; sparse products stay on the host.
PrincipalComponents principal_components(CpuContext& context, const SparseMatrix& by_cell,
                                         const SparseMatrix& by_gene, int components,
                                         Context* dense = nullptr);

// Sum over columns of their variances (divided by N - 1).
double total_variance(CpuContext& context, const SparseMatrix& by_gene);

}  // namespace m2st::data
