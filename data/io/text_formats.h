// Readers of what comes as text: MatrixMarket, dense tables of counts, GEM. All stream: memory goes
// with what is not zero, not with the file.
#pragma once

#include <string>
#include <vector>

#include "data/io/expression.h"
#include "data/io/read_expression.h"
#include "data/io/sparse_builder.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// A MatrixMarket file of coordinates, as it stands: `cells` of the entries are its rows. Exit code
// 4 with the line where it is not what its header says.
struct MarketMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  Entries entries;
};
MarketMatrix read_market(CpuContext& context, const std::string& path);

// A matrix alone, genes × cells as 10x has it, or with the lists of features and barcodes that lie
// beside it under the same prefix (10x of version 2 and 3, STARsolo; plain or gzip).
Expression read_market_expression(CpuContext& context, const std::string& matrix_path);

// Dense counts, one line a cell or one line a gene: told by which names `cells` (of the table of
// positions; may be empty) has in common with the first line, else by what its corner says.
// Columns x and y of its own become positions.
Expression read_counts_table(CpuContext& context, const std::string& path,
                             const std::vector<std::string>& cells, const ReadOptions& options);

// Stereo-seq's list of places: gathered by CellID where that stands and no bin size was asked for,
// else in squares of --bin-size.
Expression read_gem(CpuContext& context, const std::string& path, const ReadOptions& options);

enum class TextFormat { kMarket, kGem, kTable };
TextFormat text_format(const std::string& path);

// The fields of a line, with quotes around them taken off. Views into the line.
std::vector<std::string_view> split_fields(std::string_view line, char delimiter);
// Of a first line: tab, semicolon or comma, whichever there is, in this order.
char delimiter_of(std::string_view line);

}  // namespace m2st::data
