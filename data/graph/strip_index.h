// All pairs of points within a radius, by strips: points are sorted by strip (as high as the
// radius) and along it, so that a point's neighbours lie in windows of three strips (nine in 3-D)
// which slide as the point does. Only strips that hold points exist: far outliers cost nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

class StripIndex {
 public:
  // coordinates: (N, 2 or 3), finite, of finite extent; 0 < radius < infinity.
  StripIndex(CpuContext& context, MatrixView<const double> coordinates, double radius);

  std::int64_t size() const { return static_cast<std::int64_t>(order_.size()); }
  // The node at a place of the index.
  std::int32_t node(std::int64_t place) const { return order_[static_cast<std::size_t>(place)]; }
  // visit(place, other) for every other place within the radius (itself left out), for the places
  // in [begin, end) ascending.
  template <class Visit>
  void visit_pairs(std::int64_t begin, std::int64_t end, Visit&& visit) const;
  // visit(place, count) with the number of other points within the radius.
  template <class Visit>
  void visit_counts(std::int64_t begin, std::int64_t end, Visit&& visit) const;

 private:
  // The part of a neighbouring strip that may hold neighbours of the current place.
  struct Window {
    std::int64_t first, last, strip_end;
  };

  template <class Visit>
  void slide(std::int64_t begin, std::int64_t end, Visit&& visit) const;
  std::vector<Window> windows_at(std::int64_t place, std::int64_t strip) const;
  double squared_distance(std::int64_t a, std::int64_t b) const {
    const double dx = x_[a] - x_[b], dy = y_[a] - y_[b];
    const double planar = dx * dx + dy * dy;
    if (z_.empty()) return planar;
    const double dz = z_[a] - z_[b];
    return planar + dz * dz;
  }

  double squared_radius_ = 0;
  std::uint32_t reach_ = 0;            // the radius in steps of along_
  bool solid_ = false;                 // 3-D
  std::vector<std::int32_t> order_;    // node of each place
  std::vector<double> x_, y_, z_;      // by place; z empty in 2-D
  std::vector<std::uint32_t> along_;   // x in whole steps: ascends inside a strip
  std::vector<std::uint32_t> strips_;  // numbers of the strips that hold points, ascending
  std::vector<std::int64_t> starts_;   // first place of each, and N
};

template <class Visit>
void StripIndex::slide(std::int64_t begin, std::int64_t end, Visit&& visit) const {
  std::int64_t strip = -1;
  std::vector<Window> windows;
  for (std::int64_t place = begin; place < end; ++place) {
    if (strip < 0 || place >= starts_[strip + 1]) {
      strip = std::upper_bound(starts_.begin(), starts_.end(), place) - starts_.begin() - 1;
      windows = windows_at(place, strip);
    }
    const std::uint32_t here = along_[place];
    const std::uint32_t low = here > reach_ ? here - reach_ : 0;
    const std::uint32_t high = here + std::min(reach_, ~here);
    for (Window& window : windows) {
      while (window.first < window.strip_end && along_[window.first] < low) ++window.first;
      while (window.last < window.strip_end && along_[window.last] <= high) ++window.last;
    }
    visit(place, windows);
  }
}

template <class Visit>
void StripIndex::visit_pairs(std::int64_t begin, std::int64_t end, Visit&& visit) const {
  slide(begin, end, [&](std::int64_t place, const std::vector<Window>& windows) {
    for (const Window& window : windows) {
      for (std::int64_t other = window.first; other < window.last; ++other) {
        if (squared_distance(place, other) <= squared_radius_ && other != place) {
          visit(place, other);
        }
      }
    }
  });
}

template <class Visit>
void StripIndex::visit_counts(std::int64_t begin, std::int64_t end, Visit&& visit) const {
  slide(begin, end, [&](std::int64_t place, const std::vector<Window>& windows) {
    std::int64_t count = -1;  // itself
    for (const Window& window : windows) {
      for (std::int64_t other = window.first; other < window.last; ++other) {
        count += squared_distance(place, other) <= squared_radius_ ? 1 : 0;
      }
    }
    visit(place, count);
  });
}

}  // namespace m2st::data
