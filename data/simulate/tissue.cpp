#include "data/simulate/tissue.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "data/simulate/distributions.h"
#include "engine/parallel.h"
#include "kernels/sort.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kGrain = 4096;
// Blobs: a domain is made of this many pieces; a piece's place is the best of some candidates, so
// that pieces spread over the tissue (Mitchell 1991).
constexpr int kPiecesPerDomain = 3;
constexpr int kCandidates = 8;

struct Point {
  double x, y;
};

double squared_distance(Point a, Point b) {
  return (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
}

struct Box {
  Point low{0, 0}, high{0, 0};
  double width() const { return std::max(high.x - low.x, kPitch); }
  double height() const { return std::max(high.y - low.y, kPitch); }
};

Box box_of(MatrixView<const double> coordinates) {
  Box box{{coordinates(0, 0), coordinates(0, 1)}, {coordinates(0, 0), coordinates(0, 1)}};
  for (std::int64_t i = 1; i < coordinates.rows; ++i) {
    box.low = {std::min(box.low.x, coordinates(i, 0)), std::min(box.low.y, coordinates(i, 1))};
    box.high = {std::max(box.high.x, coordinates(i, 0)), std::max(box.high.y, coordinates(i, 1))};
  }
  return box;
}

// Layers from outside in, as in cortex: arcs around a point below the tissue, gently wavy, of
// unequal thickness. Cells are cut into layers by rank, so that each layer has its share.
std::vector<std::int32_t> layers(CpuContext& context, const SimulateOptions& options,
                                 MatrixView<const double> coordinates) {
  const std::int64_t n = coordinates.rows;
  const Box box = box_of(coordinates);
  Draws draws(simulate_key(options, SimulateStream::kLayers), 0);
  const double phase = 2 * std::numbers::pi * draws.uniform();
  const Point centre{box.low.x + (0.35 + 0.3 * draws.uniform()) * box.width(),
                     box.low.y - 0.7 * box.height()};
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(n));
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Point cell{coordinates(i, 0), coordinates(i, 1)};
      const double wave =
          std::sin(3 * std::numbers::pi * (cell.x - box.low.x) / box.width() + phase);
      const double radius = std::sqrt(squared_distance(cell, centre)) + 0.03 * box.height() * wave;
      // Positive doubles sort as their bits do; the outermost come first.
      keys[i] = ~std::bit_cast<std::uint64_t>(std::max(radius, 0.0));
    }
  });
  std::vector<std::int32_t> order(keys.size());
  kernels::argsort(context, keys, order);

  std::vector<double> thickness;
  double total = 0;
  for (int k = 0; k < options.domains; ++k) {
    thickness.push_back(0.6 + 0.8 * draws.uniform());
    total += thickness.back();
  }
  std::vector<std::int32_t> domains(keys.size());
  std::int64_t begin = 0;
  double depth = 0;
  for (int k = 0; k < options.domains; ++k) {
    depth += thickness[k] / total;
    // Each layer here and those to come keep one cell at least.
    const std::int64_t left = options.domains - 1 - k;
    std::int64_t end = left == 0 ? n : std::llround(depth * static_cast<double>(n));
    end = std::clamp(end, begin + 1, n - left);
    for (std::int64_t i = begin; i < end; ++i) domains[order[i]] = k;
    begin = end;
  }
  return domains;
}

// Blobs: every cell belongs to the nearest of the pieces' sites. Sites are cells, and each domain's
// first is no other's, so no domain is empty.
std::vector<std::int32_t> blobs(CpuContext& context, const SimulateOptions& options,
                                MatrixView<const double> coordinates) {
  const std::int64_t n = coordinates.rows;
  const Box box = box_of(coordinates);
  Draws draws(simulate_key(options, SimulateStream::kSites), 0);
  const double phase_x = 2 * std::numbers::pi * draws.uniform();
  const double phase_y = 2 * std::numbers::pi * draws.uniform();
  // Bending space bends the blobs' borders, which would be straight otherwise.
  const auto bent = [&](std::int64_t i) {
    const double x = (coordinates(i, 0) - box.low.x) / box.width();
    const double y = (coordinates(i, 1) - box.low.y) / box.height();
    return Point{x + 0.04 * std::sin(9 * y + phase_x), y + 0.04 * std::sin(9 * x + phase_y)};
  };
  std::vector<Point> sites;
  const std::int64_t wanted =
      std::min<std::int64_t>(n, std::int64_t{kPiecesPerDomain} * options.domains);
  std::vector<std::int64_t> taken;
  while (static_cast<std::int64_t>(sites.size()) < wanted) {
    std::int64_t best = -1;
    double best_distance = -1;
    for (int candidate = 0; candidate < kCandidates; ++candidate) {
      auto cell = static_cast<std::int64_t>(draws.uniform() * static_cast<double>(n));
      while (std::find(taken.begin(), taken.end(), cell) != taken.end()) cell = (cell + 1) % n;
      double distance = std::numeric_limits<double>::infinity();
      for (const Point& site : sites) {
        distance = std::min(distance, squared_distance(site, bent(cell)));
      }
      if (distance > best_distance) {
        best_distance = distance;
        best = cell;
      }
    }
    taken.push_back(best);
    sites.push_back(bent(best));
  }
  std::vector<std::int32_t> domains(static_cast<std::size_t>(n));
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Point cell = bent(i);
      std::size_t nearest = 0;
      for (std::size_t s = 1; s < sites.size(); ++s) {
        if (squared_distance(cell, sites[s]) < squared_distance(cell, sites[nearest])) nearest = s;
      }
      domains[i] = static_cast<std::int32_t>(nearest) % options.domains;
    }
  });
  return domains;
}

}  // namespace

RandomKey simulate_key(const SimulateOptions& options, SimulateStream stream, std::uint32_t epoch) {
  return {options.seed, stream_of(Purpose::kSimulate, static_cast<std::uint32_t>(stream)), epoch};
}

Matrix<double> tissue_coordinates(CpuContext& context, const SimulateOptions& options) {
  const std::int64_t n = options.cells;
  const bool hexagonal = options.pattern == PointPattern::kHexagonal;
  const double row_height = hexagonal ? std::sqrt(0.75) : 1.0;
  const auto columns =
      static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(n) * row_height)));
  const double side = std::sqrt(static_cast<double>(n));
  const RandomKey key = simulate_key(options, SimulateStream::kPosition);
  Matrix<double> coordinates(context.pool(), n, 2);
  parallel_for(context, n, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / columns, column = i % columns;
      double x = static_cast<double>(column), y = static_cast<double>(row) * row_height;
      if (hexagonal && row % 2 == 1) x += 0.5;
      if (options.pattern == PointPattern::kRandom) {
        x = side * random_uniform(key, static_cast<std::uint32_t>(i), 0);
        y = side * random_uniform(key, static_cast<std::uint32_t>(i), 1);
      }
      coordinates(i, 0) = x * kPitch;
      coordinates(i, 1) = y * kPitch;
    }
  });
  return coordinates;
}

std::vector<std::int32_t> tissue_domains(CpuContext& context, const SimulateOptions& options,
                                         MatrixView<const double> coordinates) {
  return options.shape == TissueShape::kLayers ? layers(context, options, coordinates)
                                               : blobs(context, options, coordinates);
}

}  // namespace m2st::data
