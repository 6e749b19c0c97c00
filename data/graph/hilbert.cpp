#include "data/graph/hilbert.h"

#include <algorithm>
#include <array>
#include <limits>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 14;

template <int kAxes>
constexpr int kBits = kAxes == 2 ? 16 : 10;

// Place on the curve of a cell with integer coordinates: Skilling, "Programming the Hilbert curve",
// AIP Conference Proceedings 707 (2004).
template <int kAxes>
std::uint64_t hilbert_index(std::array<std::uint32_t, kAxes> cell) {
  constexpr std::uint32_t kTop = 1u << (kBits<kAxes> - 1);
  for (std::uint32_t bit = kTop; bit > 1; bit >>= 1) {
    const std::uint32_t below = bit - 1;
    for (int axis = 0; axis < kAxes; ++axis) {
      const std::uint32_t swapped = (cell[0] ^ cell[axis]) & below;
      const bool inverts = (cell[axis] & bit) != 0;
      cell[0] ^= inverts ? below : swapped;
      if (axis > 0) cell[axis] ^= inverts ? 0 : swapped;
    }
  }
  for (int axis = 1; axis < kAxes; ++axis) cell[axis] ^= cell[axis - 1];
  std::uint32_t flips = 0;
  for (std::uint32_t bit = kTop; bit > 1; bit >>= 1) {
    if ((cell[kAxes - 1] & bit) != 0) flips ^= bit - 1;
  }
  std::uint64_t index = 0;
  for (std::uint32_t bit = kTop; bit > 0; bit >>= 1) {
    for (int axis = 0; axis < kAxes; ++axis) {
      index = index << 1 | (((cell[axis] ^ flips) & bit) != 0 ? 1 : 0);
    }
  }
  return index;
}

template <int kAxes>
std::vector<std::int32_t> order_of(CpuContext& context, MatrixView<const double> coordinates) {
  using Corner = std::array<double, kAxes>;
  struct Box {
    Corner low, high;
  };
  Box box;
  box.low.fill(std::numeric_limits<double>::infinity());
  box.high.fill(-std::numeric_limits<double>::infinity());
  const auto joined = [](Box a, const Box& b) {
    for (int axis = 0; axis < kAxes; ++axis) {
      a.low[axis] = std::min(a.low[axis], b.low[axis]);
      a.high[axis] = std::max(a.high[axis], b.high[axis]);
    }
    return a;
  };
  box = parallel_reduce(
      context, coordinates.rows, kGrain, box,
      [&](std::int64_t begin, std::int64_t end) {
        Box part = box;
        for (std::int64_t i = begin; i < end; ++i) {
          Corner point;
          for (int axis = 0; axis < kAxes; ++axis) point[axis] = coordinates(i, axis);
          part = joined(part, {point, point});
        }
        return part;
      },
      joined);
  // One scale for all axes keeps cells square, whatever the tissue's outline.
  double side = 0;
  for (int axis = 0; axis < kAxes; ++axis) side = std::max(side, box.high[axis] - box.low[axis]);
  constexpr double kLast = (1 << kBits<kAxes>)-1;
  // Bounded, or an extent near the smallest double would make it infinite.
  const double scale = side > 0 ? std::min(kLast / side, 1e300) : 0;
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(coordinates.rows));
  parallel_for(context, coordinates.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::array<std::uint32_t, kAxes> cell;
      for (int axis = 0; axis < kAxes; ++axis) {
        const double place = (coordinates(i, axis) - box.low[axis]) * scale;
        cell[axis] = static_cast<std::uint32_t>(std::min(place, kLast));
      }
      keys[i] = hilbert_index<kAxes>(cell);
    }
  });
  std::vector<std::int32_t> order(keys.size());
  kernels::argsort(context, keys, order);
  return order;
}

}  // namespace

std::vector<std::int32_t> hilbert_order(CpuContext& context, MatrixView<const double> coordinates) {
  M2ST_CHECK(coordinates.cols == 2 || coordinates.cols == 3,
             "hilbert_order: coordinates an axis (got ", coordinates.cols, ", need 2 or 3)");
  return coordinates.cols == 2 ? order_of<2>(context, coordinates)
                               : order_of<3>(context, coordinates);
}

}  // namespace m2st::data
