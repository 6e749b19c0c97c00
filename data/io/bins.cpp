#include "data/io/bins.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr int kUsualSize = 100;

// Division that rounds down, also below zero.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}

}  // namespace

int chosen_bin_size(int asked, Expression& expression) {
  if (asked > 0) return asked;
  expression.warnings.push_back(
      concat("--bin-size was not given: ", kUsualSize, " (50 µm at 500 nm a place) was taken"));
  return kUsualSize;
}

std::int32_t Bins::cell_at(std::int64_t x, std::int64_t y) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
  if (std::max(x, y) > kLargest || std::min(x, y) < -kLargest) {
    fail(ExitCode::kInputInvalid, "a place is ", x, ", ", y, ", beyond 2^31 - 1");
  }
  const auto column = static_cast<std::int32_t>(floor_divide(x, size_));
  const auto row = static_cast<std::int32_t>(floor_divide(y, size_));
  const auto key =
      std::uint64_t{static_cast<std::uint32_t>(row)} << 32 | static_cast<std::uint32_t>(column);
  const auto [place, fresh] = numbers_.try_emplace(key, static_cast<std::int32_t>(corners_.size()));
  if (fresh) corners_.emplace_back(row, column);
  return place->second;
}

void Bins::fill(CpuContext& context, Entries& entries, Expression& expression) const {
  const std::int64_t cells = std::ssize(corners_);
  std::vector<std::int32_t> order(corners_.size()), place(corners_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int32_t a, std::int32_t b) { return corners_[a] < corners_[b]; });
  expression.coordinates = Matrix<double>(context.pool(), cells, 2);
  for (std::int64_t i = 0; i < cells; ++i) {
    const auto [row, column] = corners_[order[i]];
    place[order[i]] = static_cast<std::int32_t>(i);
    const std::int64_t x = std::int64_t{column} * size_, y = std::int64_t{row} * size_;
    expression.cells.push_back(concat(x, "_", y));
    expression.coordinates(i, 0) = static_cast<double>(x) + size_ / 2.0;
    expression.coordinates(i, 1) = static_cast<double>(y) + size_ / 2.0;
  }
  for (std::int32_t& cell : entries.cells) cell = place[cell];
  expression.values = rows_from_entries(context, cells, std::ssize(expression.genes), entries);
  expression.found.push_back(concat("values: ", cells, " bins of ", size_, " by ", size_, ", ",
                                    expression.genes.size(), " genes, ",
                                    expression.values.entries(), " not zero"));
}

}  // namespace m2st::data
