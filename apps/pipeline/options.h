// Everything a job can be told, with the stages' own defaults. `seed` is the one seed of a job: it
// replaces the seeds inside the stages' options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cluster/domain_count.h"
#include "cluster/domains.h"
#include "data/graph/spatial_graph.h"
#include "data/io/read_expression.h"
#include "data/prep/prepare.h"
#include "model/config.h"

namespace m2st::apps {

// Which stages run: read → prepare → graph → train → cluster → write, or a part of it, file to
// file.
enum class Job { kRun, kPrepare, kGraph, kEmbed, kCluster };

// How much training keeps. Auto: low where the plan would take more than kRoomyTraining otherwise,
// on a device more than it has.
enum class MemoryUse { kAuto, kFast, kLow };
inline constexpr std::int64_t kRoomyTraining = std::int64_t{1} << 30;

// Whose float32 products a CUDA device makes. Auto: cuBLASLt's where they are to be in reduced
// precision and the library is there, else the engine's own.
enum class MatmulLibrary { kAuto, kOwn, kCublasLt };

// None: the engine's own defaults; the others set a whole column of differences between the paper
// and its reference code, before any single option is applied.
enum class Compatibility { kNone, kPaper, kReference };

struct InputFiles {
  std::string expression;               // file or folder of counts; features are made of it
  std::string features;                 // .npy (N, d)
  std::string coordinates;              // .npy or text, (N, 2 or 3)
  std::string adjacency;                // folder of `graph`, or a SciPy .npz, in place of building
  std::string sections;                 // the section of each cell: no edges between sections
  std::string labels;                   // known domains, for scoring only
  std::vector<std::string> embeddings;  // .npy (N, d_m), one per scale, in place of training
  std::string checkpoint;               // trained parameters, in place of training
};

struct RunOptions {
  InputFiles input;
  data::ReadOptions read;  // of input.expression; positions and graph are taken from `input`
  data::PrepareOptions prepare;
  data::SpatialGraphOptions graph;
  model::AutoencoderConfig autoencoder;
  model::TrainConfig train;
  cluster::DomainOptions cluster;
  bool automatic_domains = false;  // the number of domains is found: domain_count
  cluster::DomainCountOptions domain_count;
  Compatibility compatibility = Compatibility::kNone;
  std::string device = "auto";  // cpu, cuda, cuda:N (device.h)
  MatmulLibrary matmul_library = MatmulLibrary::kAuto;
  MemoryUse memory = MemoryUse::kAuto;
  std::uint64_t seed = 0;
  int threads = 0;  // 0: every processor this process may use
  std::string output;
  bool result_h5ad = true;  // write result.h5ad
  bool in_place = false;    // results go into INPUT itself, in place of result.h5ad
  bool force = false;       // write into a folder that holds files already
  bool resume = false;      // continue from the folder's checkpoint
  bool dry_run = false;     // read and plan, write nothing
};

}  // namespace m2st::apps
