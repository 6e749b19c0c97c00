// Whether values are what the steps of preparation take them for; what is wrong is named by cell
// and gene, with what to do about it.
#pragma once

#include "data/io/expression.h"
#include "data/prep/prepare.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// Exit code 4. Steps that need counts: normalisation and the flavour seurat_v3; log1p refuses what
// is logged already.
void check_values(CpuContext& context, const Expression& expression, const PrepareOptions& options);

}  // namespace m2st::data
