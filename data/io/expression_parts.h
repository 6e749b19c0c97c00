// Steps that end the reading of every format: positions joined to cells by name, names made fit,
// values checked.
#pragma once

#include <string>

#include "data/io/expression.h"
#include "data/io/read_expression.h"
#include "data/io/table.h"
#include "engine/cpu_context.h"

namespace m2st::data {

CoordinateColumns coordinate_columns(const ReadOptions& options);

// Gives every cell its row of `table` (positions, sections, labels): by name when both have names,
// else by place. Exit code 4 when a cell has no row, a name stands twice, or lengths differ.
void place_cells(CpuContext& context, CoordinateTable table, const std::string& path,
                 Expression& expression);

// Everything Expression promises: names unique and UTF-8, values and positions finite, `counts`,
// `hash`. Exit code 4 naming cells and genes.
void finish_expression(CpuContext& context, const std::string& path, bool rename_cells,
                       Expression& expression);

}  // namespace m2st::data
