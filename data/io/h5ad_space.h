// What an .h5ad file says of where its cells lie and who their neighbours are.
#pragma once

#include "data/io/expression.h"
#include "data/io/h5ad_frame.h"
#include "data/io/read_expression.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// obsm/KEY when asked for, else obsm/spatial, obsm/X_spatial, or two columns of obs that are named
// as positions are; --x-column and --y-column name others. Nothing found is noted, not an error,
// unless it was asked for (exit code 4).
void read_positions(CpuContext& context, Hdf5Source& source, H5adFrame& obs,
                    const ReadOptions& options, Expression& expression);

// obsm/KEY as (rows, columns) of any numeric encoding: array, data frame, or record of old.
Matrix<double> read_obsm(CpuContext& context, Hdf5Source& source, const std::string& key,
                         std::int64_t rows);
std::vector<std::string> obsm_keys(Hdf5Source& source);

// obsp/KEY as neighbours (data/graph/given_graph.h); stored zeros are no edges.
void read_own_graph(CpuContext& context, Hdf5Source& source, const std::string& key,
                    Expression& expression);

}  // namespace m2st::data
