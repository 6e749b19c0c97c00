// What a run starts from: features and coordinates of the same cells, checked once, here; nothing
// behind this point looks for NaN or for lengths that differ.
#pragma once

#include <string>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::data {

struct Dataset {
  Matrix<float> features;          // (N, d), finite, N >= 1, d >= 1
  Matrix<double> coordinates;      // (N, 2 or 3), finite
  std::vector<std::string> cells;  // (N), from the coordinates' file, else "0" .. "N-1"
  std::string features_hash;       // file_hash of either file, for manifest and checkpoint
  std::string coordinates_hash;

  std::int64_t size() const { return features.rows(); }
};

// Features from .npy, coordinates from .npy or text. Errors: 3 as the readers'; 4 when lengths
// differ, there are no cells or columns, more than 2^31 - 1 cells, or values that are not finite
// (the first five are named).
Dataset read_dataset(CpuContext& context, const std::string& features_path,
                     const std::string& coordinates_path);

// Features alone (no coordinates, no names from a file): as above.
Matrix<float> read_features(CpuContext& context, const std::string& path);

// "0" .. "count-1".
std::vector<std::string> numbered_cells(std::int64_t count);

}  // namespace m2st::data
