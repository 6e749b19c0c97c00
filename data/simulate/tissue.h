// Where simulated cells are and which domain they belong to, before they express anything.
#pragma once

#include <cstdint>
#include <vector>

#include "data/simulate/simulate.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/random.h"

namespace m2st::data {

// Indices that keep the streams of one seed apart (stream_of(Purpose::kSimulate, index)).
enum class SimulateStream : std::uint32_t {
  kPosition,
  kLayers,
  kSites,
  kCentres,
  kNoise,
  kGenes,
  kCounts,
};
RandomKey simulate_key(const SimulateOptions& options, SimulateStream stream,
                       std::uint32_t epoch = 0);

// (N, 2): a nearly square tissue with one cell per kPitch² on average (hexagonal: per 0.87
// kPitch²).
inline constexpr double kPitch = 100;
Matrix<double> tissue_coordinates(CpuContext& context, const SimulateOptions& options);

// (N) domain of each cell; every domain has at least one (options.domains <= N).
std::vector<std::int32_t> tissue_domains(CpuContext& context, const SimulateOptions& options,
                                         MatrixView<const double> coordinates);

}  // namespace m2st::data
