// What every Expression keeps to, whichever format it came from.
#include <algorithm>
#include <cmath>
#include <utility>

#include "data/io/dataset.h"
#include "data/io/expression_parts.h"
#include "data/io/names.h"
#include "data/io/output.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 16;
constexpr std::int64_t kNamed = 5;

template <class Test>
std::int64_t count_of(CpuContext& context, std::int64_t size, Test&& test) {
  return parallel_reduce(
      context, size, kGrain, std::int64_t{0},
      [&](std::int64_t begin, std::int64_t end) {
        std::int64_t count = 0;
        for (std::int64_t i = begin; i < end; ++i) count += test(i) ? 1 : 0;
        return count;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
}

void check_values(CpuContext& context, const std::string& path, const Expression& expression) {
  const SparseMatrix& values = expression.values;
  const std::int64_t bad = count_of(
      context, values.entries(), [&](std::int64_t e) { return !std::isfinite(values.values[e]); });
  if (bad == 0) return;
  std::string places;
  std::int64_t named = 0;
  for (std::int64_t row = 0; row < values.rows && named < kNamed; ++row) {
    for (std::int64_t e = values.offsets[row]; e < values.offsets[row + 1] && named < kNamed; ++e) {
      if (std::isfinite(values.values[e])) continue;
      places += concat(named++ > 0 ? "; " : "", "cell ", expression.cells[row], " gene ",
                       expression.genes[values.indices[e]], " is ", values.values[e]);
    }
  }
  fail(ExitCode::kInputInvalid, path, ": ", bad, bad == 1 ? " value is" : " values are",
       " not finite (", places, bad > kNamed ? "; ..." : "",
       "); remove these cells or genes, or replace the values");
}

template <class T>
void check_rows(CpuContext& context, const std::string& path, MatrixView<const T> rows,
                const std::vector<std::string>& cells, const std::string& what) {
  const std::int64_t bad =
      count_of(context, rows.size(), [&](std::int64_t i) { return !std::isfinite(rows.data[i]); });
  if (bad == 0) return;
  std::vector<std::string> named;
  for (std::int64_t i = 0; i < rows.size() && std::ssize(named) < kNamed; ++i) {
    const std::string& cell = cells[static_cast<std::size_t>(i / rows.cols)];
    if (!std::isfinite(rows.data[i]) && (named.empty() || named.back() != cell)) {
      named.push_back(cell);
    }
  }
  fail(ExitCode::kInputInvalid, path, ": ", bad, bad == 1 ? " value" : " values", " of the ", what,
       bad == 1 ? " is" : " are", " not finite (cells ", listed(named, kNamed),
       bad > std::ssize(named) ? ", ..." : "", "); remove these cells");
}

void fit_names(const std::string& path, bool rename_cells, Expression& expression) {
  for (std::vector<std::string>* names :
       {&expression.cells, &expression.genes, &expression.sections, &expression.labels}) {
    const std::int64_t converted = make_utf8(*names);
    if (converted == 0) continue;
    expression.warnings.push_back(
        concat(path, ": ", converted, " names are no UTF-8; they were read as Latin-1"));
  }
  if (const std::int64_t renamed = make_unique(expression.genes); renamed > 0) {
    expression.warnings.push_back(concat(path, ": ", renamed, " gene names stood there before; ",
                                         "they got \"-1\", \"-2\", ... as in scanpy"));
  }
  const std::string* twice = first_repeated(expression.cells);
  if (twice == nullptr) return;
  if (!rename_cells) {
    fail(ExitCode::kInputInvalid, path, ": the cell name '", *twice,
         "' stands there twice; --make-unique keeps such cells and renames them");
  }
  const std::int64_t renamed = make_unique(expression.cells);
  expression.warnings.push_back(
      concat(path, ": ", renamed, " cell names stood there before; they got \"-1\", \"-2\", ..."));
}

std::string hash_of(const std::vector<std::string>& files) {
  if (files.size() == 1) return file_hash(files[0]);
  std::string hashes;
  for (const std::string& file : files) hashes += file_hash(file);
  return bytes_hash(hashes);
}

}  // namespace

void finish_expression(CpuContext& context, const std::string& path, bool rename_cells,
                       Expression& expression) {
  const std::int64_t cells =
      expression.features.empty() ? expression.values.rows : expression.features.rows();
  if (cells == 0) fail(ExitCode::kInputInvalid, path, ": holds no cells");
  if (expression.features.empty() && expression.values.columns == 0) {
    fail(ExitCode::kInputInvalid, path, ": holds no genes");
  }
  if (expression.cells.empty()) expression.cells = numbered_cells(cells);
  if (expression.genes.empty()) expression.genes = numbered_cells(expression.values.columns);
  fit_names(path, rename_cells, expression);
  check_values(context, path, expression);
  check_rows<float>(context, path, std::as_const(expression.features).view(), expression.cells,
                    "features");
  check_rows<double>(context, path, std::as_const(expression.coordinates).view(), expression.cells,
                     "positions");
  const SparseMatrix& values = expression.values;
  expression.counts = values.rows > 0 && count_of(context, values.entries(), [&](std::int64_t e) {
                                           const float value = values.values[e];
                                           return value < 0 || value != std::floor(value);
                                         }) == 0;
  std::sort(expression.files.begin(), expression.files.end());
  expression.files.erase(std::unique(expression.files.begin(), expression.files.end()),
                         expression.files.end());
  expression.hash = hash_of(expression.files);
}

}  // namespace m2st::data
