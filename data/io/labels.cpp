// Labels from text or .npy: names as they stand in the file, and their codes.

#include <algorithm>
#include <unordered_map>

#include "data/io/delimited.h"
#include "data/io/input_file.h"
#include "data/io/npy.h"
#include "data/io/npy_type.h"
#include "data/io/table.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

LabelTable npy_labels(CpuContext& context, const std::string& path) {
  const Matrix<std::int64_t> codes = read_npy<std::int64_t>(context, path);
  if (codes.cols() != 1) {
    fail(ExitCode::kInputInvalid, path, ": is ", codes.rows(), " by ", codes.cols(),
         ", need one label a cell");
  }
  LabelTable table;
  for (const std::int64_t code : codes.span()) table.labels.push_back(std::to_string(code));
  return table;
}

// One column has a header when that is what was asked for, or when the first line alone is no
// number among numbers.
std::int64_t first_label_row(const DelimitedText& table, const std::string& column) {
  const std::string_view first = table.field(0, 0);
  if (!column.empty()) {
    if (first == column) return 1;
    fail(ExitCode::kInputInvalid, table.path, ": has one column headed '", first.substr(0, 40),
         "', not the column '", column, "'");
  }
  if (table.rows() < 2 || is_number(first) || is_missing(first)) return 0;
  for (std::int64_t r = 1; r < table.rows(); ++r) {
    if (!is_number(table.field(r, 0)) && !is_missing(table.field(r, 0))) return 0;
  }
  return 1;
}

std::int64_t label_column(const DelimitedText& table, const std::string& column) {
  if (column.empty()) return 1;
  std::string names;
  for (std::int64_t c = 0; c < table.columns; ++c) {
    if (table.field(0, c) == column) return c;
    names += (c > 0 ? ", '" : "'") + std::string(table.field(0, c)) + "'";
  }
  fail(ExitCode::kInputInvalid, table.path, ": has no column '", column, "'; its columns are ",
       names);
}

}  // namespace

LabelTable read_labels(CpuContext& context, const std::string& path, const std::string& column) {
  if (InputFile(path).starts_with(kNpyMagic)) return npy_labels(context, path);
  DelimitedText table;
  table.path = path;
  table.text = read_text(path);
  split_text(table, {.delimiters = "\t;,", .comments = false, .labels = true});
  LabelTable result;
  if (table.columns == 1) {
    for (std::int64_t r = first_label_row(table, column); r < table.rows(); ++r) {
      result.labels.emplace_back(table.field(r, 0));
    }
    return result;
  }
  const std::int64_t labels = label_column(table, column);
  // Two columns without a header: numbers in the second from the first line on.
  const bool headless = column.empty() && is_number(table.field(0, 1));
  for (std::int64_t r = headless ? 0 : 1; r < table.rows(); ++r) {
    result.cells.emplace_back(table.field(r, 0));
    result.labels.emplace_back(table.field(r, labels));
  }
  if (result.labels.empty()) fail(ExitCode::kInputInvalid, path, ": has a header but no cells");
  return result;
}

std::vector<std::int32_t> label_codes(const std::vector<std::string>& labels) {
  std::unordered_map<std::string_view, std::int32_t> codes;
  std::vector<std::int32_t> result;
  result.reserve(labels.size());
  for (const std::string& label : labels) {
    const auto next = static_cast<std::int32_t>(codes.size());
    result.push_back(is_missing(label) ? -1 : codes.try_emplace(label, next).first->second);
  }
  return result;
}

}  // namespace m2st::data
