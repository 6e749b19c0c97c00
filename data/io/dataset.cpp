#include "data/io/dataset.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "data/io/npy.h"
#include "data/io/output.h"
#include "data/io/table.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 16;
constexpr std::int64_t kNamed = 5;

// Counts what is not finite; only when there is some, names the first few.
template <class T>
void check_finite(CpuContext& context, const std::string& path, MatrixView<const T> x) {
  const std::int64_t bad = parallel_reduce(
      context, x.size(), kGrain, std::int64_t{0},
      [&](std::int64_t begin, std::int64_t end) {
        std::int64_t count = 0;
        for (std::int64_t i = begin; i < end; ++i) count += std::isfinite(x.data[i]) ? 0 : 1;
        return count;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
  if (bad == 0) return;
  std::string places;
  std::int64_t named = 0;
  for (std::int64_t i = 0; named < std::min(bad, kNamed); ++i) {
    if (std::isfinite(x.data[i])) continue;
    places += concat(named > 0 ? "; " : "", "cell ", i / x.cols, " column ", i % x.cols, " is ",
                     x.data[i]);
    ++named;
  }
  fail(ExitCode::kInputInvalid, path, ": ", bad, bad == 1 ? " value is" : " values are",
       " not finite (counted from 0: ", places, bad > kNamed ? "; ..." : "",
       "); remove these cells or replace the values");
}

}  // namespace

Matrix<float> read_features(CpuContext& context, const std::string& path) {
  Matrix<float> features = read_npy<float>(context, path);
  if (features.empty()) {
    fail(ExitCode::kInputInvalid, path, ": holds no features (", features.rows(), " cells by ",
         features.cols(), " columns)");
  }
  if (features.rows() > std::numeric_limits<std::int32_t>::max()) {
    fail(ExitCode::kInputInvalid, path, ": has ", features.rows(), " cells, more than 2^31 - 1");
  }
  check_finite<float>(context, path, features.view());
  return features;
}

std::vector<std::string> numbered_cells(std::int64_t count) {
  std::vector<std::string> cells;
  cells.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) cells.push_back(std::to_string(i));
  return cells;
}

Dataset read_dataset(CpuContext& context, const std::string& features_path,
                     const std::string& coordinates_path) {
  Dataset dataset;
  dataset.features = read_features(context, features_path);
  CoordinateTable table = read_coordinates(context, coordinates_path);
  if (table.coordinates.rows() != dataset.size()) {
    fail(ExitCode::kInputInvalid, coordinates_path, ": has ", table.coordinates.rows(),
         " cells, but ", features_path, " has ", dataset.size(),
         "; both need one row a cell, in the same order");
  }
  check_finite<double>(context, coordinates_path, table.coordinates.view());
  dataset.coordinates = std::move(table.coordinates);
  dataset.cells = table.cells.empty() ? numbered_cells(dataset.size()) : std::move(table.cells);
  dataset.features_hash = file_hash(features_path);
  dataset.coordinates_hash = file_hash(coordinates_path);
  return dataset;
}

}  // namespace m2st::data
