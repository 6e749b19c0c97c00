// Places of single molecules gathered into squares (Stereo-seq), one a cell.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/io/expression.h"
#include "data/io/sparse_builder.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// What was asked for, else 100 (50 µm, about a Visium spot), noted as a warning.
int chosen_bin_size(int asked, Expression& expression);

class Bins {
 public:
  explicit Bins(int size) : size_(size) {}

  // The number of the square that holds (x, y), counted as they first appear. Exit code 4 beyond
  // 2^31 - 1 in any direction.
  std::int32_t cell_at(std::int64_t x, std::int64_t y);
  // Cells by rows of the lattice (y, then x), named "X_Y" by their least corner; positions are the
  // squares' middles. Adds values, cells, coordinates and a line of what was found.
  void fill(CpuContext& context, Entries& entries, Expression& expression) const;

 private:
  int size_;
  std::unordered_map<std::uint64_t, std::int32_t> numbers_;
  std::vector<std::pair<std::int32_t, std::int32_t>> corners_;  // (y, x) in squares
};

}  // namespace m2st::data
