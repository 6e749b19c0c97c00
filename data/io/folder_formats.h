// Folders that instruments leave behind, known by the files in them.
#pragma once

#include <string>

#include "data/io/expression.h"
#include "data/io/read_expression.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// Space Ranger (Visium, Visium HD), Xenium, MatrixMarket, Slide-seq; also the folder that holds
// such a one as outs/. Exit code 4, saying what was looked for, when it is none of these.
Expression read_folder(CpuContext& context, const std::string& path, const ReadOptions& options);

// What a file by itself holds.
Expression read_file(CpuContext& context, const std::string& path, const ReadOptions& options);

// Space Ranger's table of spots, with or without a header. Spots outside of the tissue leave the
// expression. Exit code 4 when a cell has no row.
void place_spots(CpuContext& context, const std::string& path, Expression& expression);

// Places in Visium HD's grid (column, row) from barcodes like s_008um_00012_00345-1; false when
// these are no such barcodes.
bool place_in_grid(CpuContext& context, Expression& expression);

}  // namespace m2st::data
