// Tissue with known domains, any size: for tests, benchmarks and `m2st simulate`.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::data {

enum class TissueShape { kLayers, kBlobs };
enum class PointPattern { kHexagonal, kSquare, kRandom };
enum class Signal { kCounts, kComponents };

struct SimulateOptions {
  std::int64_t cells = 4000;
  int domains = 7;
  TissueShape shape = TissueShape::kLayers;
  PointPattern pattern = PointPattern::kHexagonal;
  Signal signal = Signal::kComponents;
  int genes = 500;           // counts
  int components = 50;       // components
  double dispersion = 2.0;   // of the negative binomial (variance = mean + mean²/dispersion)
  double depth = 1000.0;     // mean counts a cell
  double marker_fold = 2.0;  // fold change of a domain's marker genes
  double noise = 1.0;        // components: noise deviation over between-domain deviation
  std::uint64_t seed = 0;
};

struct SimulatedTissue {
  Matrix<double> coordinates;         // (N, 2)
  Matrix<float> values;               // (N, genes) counts or (N, components)
  std::vector<std::int32_t> domains;  // (N) true domain of each cell
};

// Every draw depends on (seed, cell, gene) only; domains also on where all cells are. Errors: 2 (an
// option out of its range), 5 (more domains than cells).
SimulatedTissue simulate_tissue(CpuContext& context, const SimulateOptions& options);

}  // namespace m2st::data
