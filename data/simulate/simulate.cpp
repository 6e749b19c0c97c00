#include "data/simulate/simulate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/simulate/distributions.h"
#include "data/simulate/tissue.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kCellsPerChunk = 64;
// One gene in this many is a marker of some domain.
constexpr int kGenesPerMarker = 5;
// Of depth and noise: far beyond any tissue, far below what float32 can hold.
constexpr double kMost = 1e12;

template <class T>
void need(bool good, const char* option, T value, const char* what) {
  if (!good) fail(ExitCode::kUsage, "simulate: ", option, " is ", value, ", need ", what);
}

void check(const SimulateOptions& options) {
  need(options.cells >= 1 && options.cells <= std::numeric_limits<std::int32_t>::max(), "cells",
       options.cells, "1 to 2^31 - 1");
  need(options.domains >= 1, "domains", options.domains, "at least 1");
  if (options.signal == Signal::kCounts) {
    need(options.genes >= 1, "genes", options.genes, "at least 1");
    need(options.dispersion > 0, "dispersion", options.dispersion, "a positive number");
    need(options.depth >= 0 && options.depth <= kMost, "depth", options.depth,
         "0 to 1e12 counts a cell");
    need(options.marker_fold > 0 && std::isfinite(options.marker_fold), "marker fold",
         options.marker_fold, "a positive number");
  } else {
    need(options.components >= 1, "components", options.components, "at least 1");
    need(options.noise >= 0 && options.noise <= kMost, "noise", options.noise, "0 to 1e12");
  }
  if (options.domains > options.cells) {
    fail(ExitCode::kParameterImpossible, "simulate: ", options.domains, " domains in ",
         options.cells, " cells; need at least one cell a domain");
  }
}

// rates(k, g): expected counts of gene g in a cell of domain k; each row sums to the depth.
// Genes' levels are log-normal; every fifth gene or so is a marker, of one domain after the other.
std::vector<double> expected_counts(const SimulateOptions& options) {
  std::vector<double> rates;
  const RandomKey key = simulate_key(options, SimulateStream::kGenes);
  for (int k = 0; k < options.domains; ++k) {
    double total = 0;
    for (int g = 0; g < options.genes; ++g) {
      double level = std::exp(random_normal(key, static_cast<std::uint32_t>(g)));
      const bool marker = g % kGenesPerMarker == 0 && g / kGenesPerMarker % options.domains == k;
      if (marker) level *= options.marker_fold;
      rates.push_back(level);
      total += level;
    }
    for (auto rate = rates.end() - options.genes; rate != rates.end(); ++rate) {
      *rate *= options.depth / total;
    }
  }
  return rates;
}

// centres(k, c): domains differ in the leading components only, as in a principal component
// analysis; there their coordinates have variance 1 over domains.
std::vector<double> domain_centres(const SimulateOptions& options) {
  const int leading = std::min(options.components, std::max(2, options.domains - 1));
  std::vector<double> centres;
  for (int k = 0; k < options.domains; ++k) {
    Draws draws(simulate_key(options, SimulateStream::kCentres), static_cast<std::uint32_t>(k));
    for (int c = 0; c < options.components; ++c)
      centres.push_back(c < leading ? draws.normal() : 0);
  }
  for (int c = 0; c < leading && options.domains > 1; ++c) {
    double sum = 0, squares = 0;
    for (int k = 0; k < options.domains; ++k) sum += centres[k * options.components + c];
    const double mean = sum / options.domains;
    for (int k = 0; k < options.domains; ++k) {
      const double off = centres[k * options.components + c] -= mean;
      squares += off * off;
    }
    const double scale = 1 / std::sqrt(squares / options.domains);
    for (int k = 0; k < options.domains; ++k) centres[k * options.components + c] *= scale;
  }
  return centres;
}

void fill_counts(CpuContext& context, const SimulateOptions& options, SimulatedTissue& tissue) {
  const std::vector<double> rates = expected_counts(options);
  parallel_for(context, options.cells, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double* row = rates.data() + std::int64_t{tissue.domains[i]} * options.genes;
      for (int g = 0; g < options.genes; ++g) {
        const RandomKey key =
            simulate_key(options, SimulateStream::kCounts, static_cast<std::uint32_t>(g));
        Draws draws(key, static_cast<std::uint32_t>(i));
        tissue.values(i, g) =
            static_cast<float>(draw_negative_binomial(draws, row[g], options.dispersion));
      }
    }
  });
}

void fill_components(CpuContext& context, const SimulateOptions& options, SimulatedTissue& tissue) {
  const std::vector<double> centres = domain_centres(options);
  const RandomKey key = simulate_key(options, SimulateStream::kNoise);
  parallel_for(context, options.cells, kCellsPerChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double* centre = centres.data() + std::int64_t{tissue.domains[i]} * options.components;
      Draws draws(key, static_cast<std::uint32_t>(i));
      for (int c = 0; c < options.components; ++c) {
        tissue.values(i, c) = static_cast<float>(centre[c] + options.noise * draws.normal());
      }
    }
  });
}

}  // namespace

SimulatedTissue simulate_tissue(CpuContext& context, const SimulateOptions& options) {
  check(options);
  SimulatedTissue tissue;
  tissue.coordinates = tissue_coordinates(context, options);
  tissue.domains = tissue_domains(context, options, tissue.coordinates.view());
  const bool counts = options.signal == Signal::kCounts;
  tissue.values =
      Matrix<float>(context.pool(), options.cells, counts ? options.genes : options.components);
  if (counts) {
    fill_counts(context, options, tissue);
  } else {
    fill_components(context, options, tissue);
  }
  return tissue;
}

}  // namespace m2st::data
