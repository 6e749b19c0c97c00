// Highly variable genes with scanpy's rules (pp.highly_variable_genes without batches).
#pragma once

#include <vector>

#include "data/prep/sparse_matrix.h"

namespace m2st::data {

// Variance of the counts, clipped at √N standard deviations and divided by what loess expects of a
// gene of that mean (Stuart et al., Cell 2019). counts_by_gene (G, N): whole numbers.
std::vector<double> seurat_v3_scores(CpuContext& context, const SparseMatrix& counts_by_gene);

// Dispersion, standardised among genes of like mean (Satija et al., Nat. Biotechnol. 2015).
// logged_by_gene (G, N): log1p of normalised counts. NaN where a gene does not vary.
std::vector<double> seurat_scores(CpuContext& context, const SparseMatrix& logged_by_gene);

// The `count` genes of highest score, ascending; of equal scores the first. All when there are
// fewer.
std::vector<std::int32_t> top_genes(Span<const double> scores, std::int64_t count);

// Every gene that scores at least what the count-th does: ties can make it more.
std::vector<std::int32_t> genes_from_cutoff(Span<const double> scores, std::int64_t count);

}  // namespace m2st::data
