// The results as an .h5ad: a copy of the input's, or a new one where the input was something else.
#pragma once

#include <vector>

#include "apps/pipeline/dataset.h"
#include "apps/pipeline/options.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/record.h"
#include "apps/pipeline/stages.h"
#include "cluster/domains.h"
#include "engine/array.h"

namespace m2st::apps {

// Before anything takes its time: exit code 2 when --in-place is asked of an input that is no
// .h5ad, 4 when its layout takes no results, 8 when it may not be replaced.
void check_in_place(const RunOptions& options);

// result.h5ad into the folder, or the input itself replaced. Cells that preparation left out have
// no domain there, and NaN. Notes warnings in `record`.
void write_result_file(CpuContext& context, OutputFolder& folder, const RunOptions& options,
                       const Dataset& dataset, const BuiltGraph& graph,
                       const std::vector<Matrix<float>>& embeddings,
                       const cluster::DomainResult& domains, RunRecord& record);

}  // namespace m2st::apps
