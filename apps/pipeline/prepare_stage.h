// Between reading and the graph: counts become features, and cells that were left out leave
// everything else too.
#pragma once

#include "apps/pipeline/dataset.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/record.h"
#include "data/prep/prepare.h"

namespace m2st::apps {

// Features from dataset.expression; notes what was done in `record`.
void prepare_features(CpuContext& context, const data::DenseWork& dense, Dataset& dataset,
                      const data::PrepareOptions& options, RunRecord& record);

// features.npy, genes.csv (those that features rest on), and where there are such: coords.csv,
// sections.csv, labels.csv, variable_genes.csv (scores of all that could be chosen), loadings.npy
// (genes × d), variance.csv, and the graph that the input held.
void write_prepared(OutputFolder& folder, const Dataset& dataset);

}  // namespace m2st::apps
