// Library sizes and logarithms with scanpy's rules (pp.normalize_total, pp.log1p, pp.scale).
#pragma once

#include <vector>

#include "data/prep/sparse_matrix.h"

namespace m2st::data {

// Genes that hold more than some share of a cell's total may be left out of all totals. Where cells
// hold few counts or the panel few genes, most genes do so in some cell; kLeftOutIfFew then counts
// all: when the genes in question are more than a tenth of all and hold more than half of the
// counts.
enum class DominantGenes { kCounted, kLeftOut, kLeftOutIfFew };

struct LibrarySizes {
  std::vector<double> totals;         // (N), over the genes that count
  double target = 0;                  // the median total above 0 where none was given
  std::int64_t empty_cells = 0;       // whose total is 0: they stay as they are
  std::vector<std::int32_t> ignored;  // genes above the share in some cell: divided, not counted
  std::int64_t too_many = 0;          // such genes where they are counted all the same
};

// target 0: the median. A gene is dominant that holds more than max_share of some cell's total.
LibrarySizes library_sizes(CpuContext& context, const SparseMatrix& by_cell,
                           const SparseMatrix& by_gene, double target, DominantGenes dominant,
                           double max_share);

// Every entry · target / its cell's total, then log1p where asked.
void normalise(CpuContext& context, const LibrarySizes& sizes, SparseMatrix& by_gene);
void take_log1p(CpuContext& context, SparseMatrix& values);

struct ScaleOptions {
  bool zero_centre = true;
  double max_value = 0;  // clip beyond; 0: never
};

// Genes to variance 1. Entries become what they differ by from the value of an absent entry, which
// is returned for every gene: the matrix stays sparse. A gene that does not vary is only centred.
std::vector<double> scale(CpuContext& context, const ScaleOptions& options, SparseMatrix& by_gene);

}  // namespace m2st::data
