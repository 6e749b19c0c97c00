#include "data/graph/strip_index.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/check.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 1 << 14;
// A strip's number has 31 bits in 2-D and twice 15 in 3-D, so that neighbours' numbers never run
// over; a place along a strip has 31.
constexpr double kLastStrip = 0x7FFFFFFE;
constexpr double kLastStripSolid = 0x7FFE;
constexpr double kLastStep = 0x7FFFFFFF;
constexpr int kSolidBits = 16;
// Of an extent so small that its inverse would not be finite.
constexpr double kLargestScale = 1e300;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double extent() const { return high - low; }
};

Range range_of(CpuContext& context, MatrixView<const double> coordinates, std::int64_t axis) {
  const auto joined = [](Range a, const Range& b) {
    return Range{std::min(a.low, b.low), std::max(a.high, b.high)};
  };
  return parallel_reduce(
      context, coordinates.rows, kGrain, Range{},
      [&](std::int64_t begin, std::int64_t end) {
        Range part;
        for (std::int64_t i = begin; i < end; ++i) {
          part = joined(part, {coordinates(i, axis), coordinates(i, axis)});
        }
        return part;
      },
      joined);
}

// Number of the strip a coordinate lies in; strips are at least as high as the radius. A factor
// keeps rounding from moving neighbours two strips apart.
struct Strips {
  Strips(const Range& range, double radius, double last)
      : low(range.low), height(std::max(radius * (1 + 1e-9), range.extent() / last)) {}
  std::uint32_t of(double value) const {
    return static_cast<std::uint32_t>((value - low) / height);
  }
  double low;
  double height;
};

}  // namespace

StripIndex::StripIndex(CpuContext& context, MatrixView<const double> coordinates, double radius)
    : squared_radius_(radius * radius), solid_(coordinates.cols == 3) {
  const std::int64_t n = coordinates.rows;
  M2ST_CHECK(coordinates.cols == 2 || solid_, "strip index: axes (got ", coordinates.cols,
             ", need 2 or 3)");
  M2ST_CHECK(radius > 0 && std::isfinite(radius), "strip index: radius (got ", radius, ")");
  if (n == 0) {
    starts_ = {0};
    return;
  }
  const Range along = range_of(context, coordinates, 0);
  const double steps = along.extent() > 0 ? std::min(kLastStep / along.extent(), kLargestScale) : 0;
  // Two places within the radius differ by at most this many whole steps.
  reach_ = static_cast<std::uint32_t>(std::min(radius * steps * (1 + 1e-9) + 2, kLastStep));
  const Strips across(range_of(context, coordinates, 1), radius,
                      solid_ ? kLastStripSolid : kLastStrip);
  const Strips up(solid_ ? range_of(context, coordinates, 2) : Range{0, 0}, radius,
                  kLastStripSolid);
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(n));
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double step = std::min((coordinates(i, 0) - along.low) * steps, kLastStep);
      // From 1 on, so that a neighbour's number is never below 0.
      std::uint64_t strip = across.of(coordinates(i, 1)) + 1;
      if (solid_) strip |= static_cast<std::uint64_t>(up.of(coordinates(i, 2)) + 1) << kSolidBits;
      keys[i] = strip << 32 | static_cast<std::uint32_t>(step);
    }
  });
  order_.resize(keys.size());
  kernels::argsort(context, keys, order_);
  x_.resize(keys.size());
  y_.resize(keys.size());
  z_.resize(solid_ ? keys.size() : 0);
  along_.resize(keys.size());
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t place = begin; place < end; ++place) {
      const std::int32_t node = order_[place];
      x_[place] = coordinates(node, 0);
      y_[place] = coordinates(node, 1);
      if (solid_) z_[place] = coordinates(node, 2);
      along_[place] = static_cast<std::uint32_t>(keys[node]);
    }
  });
  for (std::int64_t place = 0; place < n; ++place) {
    const auto strip = static_cast<std::uint32_t>(keys[order_[place]] >> 32);
    if (strips_.empty() || strips_.back() != strip) {
      strips_.push_back(strip);
      starts_.push_back(place);
    }
  }
  starts_.push_back(n);
}

std::vector<StripIndex::Window> StripIndex::windows_at(std::int64_t place,
                                                       std::int64_t strip) const {
  std::vector<Window> windows;
  const std::uint32_t low = along_[place] > reach_ ? along_[place] - reach_ : 0;
  for (int layer = solid_ ? -1 : 0; layer <= (solid_ ? 1 : 0); ++layer) {
    for (int side = -1; side <= 1; ++side) {
      const std::uint32_t wanted = strips_[strip] + static_cast<std::uint32_t>(side) +
                                   (static_cast<std::uint32_t>(layer) << kSolidBits);
      const auto found = std::lower_bound(strips_.begin(), strips_.end(), wanted);
      if (found == strips_.end() || *found != wanted) continue;
      const std::int64_t start = starts_[found - strips_.begin()];
      const std::int64_t end = starts_[found - strips_.begin() + 1];
      const std::int64_t first =
          std::lower_bound(along_.begin() + start, along_.begin() + end, low) - along_.begin();
      windows.push_back({first, first, end});
    }
  }
  return windows;
}

}  // namespace m2st::data
