// One pass over the entries; the first of each kind in the order of the file is what is named.
#include "data/prep/value_check.h"

#include <algorithm>
#include <cmath>

#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 16;
constexpr std::int64_t kNowhere = -1;
// Natural logarithms of counts stay below it (10,000 counts a cell: 9.3), and so do base 2 ones;
// normalised counts that were never logged go beyond somewhere in any real data.
constexpr float kLargestLog = 20;

struct Findings {
  std::int64_t not_finite = kNowhere;  // positions among the entries
  std::int64_t negative = kNowhere;
  std::int64_t fractional = kNowhere;
  float largest = 0;
};

Findings find(CpuContext& context, const SparseMatrix& matrix) {
  const auto body = [&](std::int64_t begin, std::int64_t end) {
    Findings found;
    for (std::int64_t e = end - 1; e >= begin; --e) {
      const float value = matrix.values[e];
      if (!std::isfinite(value)) found.not_finite = e;
      if (value < 0) found.negative = e;
      if (value != std::floor(value)) found.fractional = e;
      found.largest = std::max(found.largest, value);
    }
    return found;
  };
  const auto first = [](std::int64_t a, std::int64_t b) { return a != kNowhere ? a : b; };
  return parallel_reduce(context, matrix.entries(), kGrain, Findings{}, body,
                         [&](const Findings& a, const Findings& b) {
                           return Findings{
                               first(a.not_finite, b.not_finite), first(a.negative, b.negative),
                               first(a.fractional, b.fractional), std::max(a.largest, b.largest)};
                         });
}

std::string name_of(const std::vector<std::string>& names, std::int64_t i) {
  return names.empty() ? "number " + std::to_string(i) : "'" + names[i] + "'";
}

// "the value -0.5 (cell 'a', gene 'b')".
std::string place_of(const Expression& expression, std::int64_t entry) {
  const SparseMatrix& matrix = expression.values;
  const std::int64_t cell = std::upper_bound(matrix.offsets.begin(), matrix.offsets.end(), entry) -
                            matrix.offsets.begin() - 1;
  return concat("the value ", matrix.values[entry], " (cell ", name_of(expression.cells, cell),
                ", gene ", name_of(expression.genes, matrix.indices[entry]), ")");
}

std::string needing_step(const PrepareOptions& options) {
  if (options.normalise) return "normalisation";
  return options.log1p ? "log1p" : "the flavour seurat_v3";
}

constexpr const char* kAdvice =
    "name where the counts are (--layer, --raw), or take the values as they are with --recipe none";

}  // namespace

void check_values(CpuContext& context, const Expression& expression,
                  const PrepareOptions& options) {
  const Findings found = find(context, expression.values);
  if (found.not_finite != kNowhere) {
    fail(ExitCode::kInputInvalid, "prepare: ", place_of(expression, found.not_finite),
         " is not a number; remove or repair such cells");
  }
  const bool seurat_v3 = options.variable_genes == VariableGenes::kSeuratV3;
  const bool counts_needed = options.normalise || seurat_v3;
  if (found.negative != kNowhere && (counts_needed || options.log1p)) {
    fail(ExitCode::kInputInvalid, "prepare: ", place_of(expression, found.negative),
         " is negative, but ", needing_step(options),
         " needs counts: these values look scaled already; ", kAdvice);
  }
  if (found.fractional == kNowhere) return;
  const bool logged = found.largest < kLargestLog;
  if (counts_needed) {
    fail(ExitCode::kInputInvalid, "prepare: ", place_of(expression, found.fractional),
         " is not a whole number, but ", needing_step(options), " needs counts: these values look ",
         logged ? "logged already (the largest is " : "normalised already (the largest is ",
         found.largest, "); ", kAdvice);
  }
  if (options.log1p && logged) {
    fail(ExitCode::kInputInvalid, "prepare: ", place_of(expression, found.fractional),
         " is not a whole number and the largest is ", found.largest,
         ": these values look logged already, and log1p would log them twice; leave log1p out "
         "(--log1p off)");
  }
}

}  // namespace m2st::data
