// The paper's Table 1 and its stored best results from a folder of data sets: for every labelled
// set the autoencoder is trained in the paper's variants and clustered as the paper does, with
// options chosen against the truth, and without it. As the paper chose a seed for
// every set, it may choose among several autoencoders.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/pipeline/published.h"
#include "apps/pipeline/settings.h"
#include "apps/pipeline/sweep_grid.h"
#include "apps/pipeline/sweep_job.h"
#include "cluster/metrics/agreement.h"

namespace m2st::apps {

struct ReproduceOptions {
  std::string data;               // holds the folders of published_sets()
  std::vector<std::string> sets;  // folders to look at; empty: all
  GridChoice grid;
  std::vector<std::string> epochs = {"200"};  // of an autoencoder; each number has its own
  int autoencoders = 1;                       // seeds of each: seed, seed + 1, ...
  int hidden = 0;                             // 0: each set's published width
  int iterations = 100;
  cluster::SweepPrecision precision = cluster::SweepPrecision::kDouble;
  std::uint64_t seed = 0;
  int threads = 0;
  std::string output;
  bool force = false;
};

struct Reproduced {
  std::optional<cluster::Agreement> agreement;  // none: no option set kept all domains
  std::string options;                          // those of the sweep that were chosen
  double seconds = 0;                           // training and clustering, or the sweep
};

struct SetReport {
  PublishedSet published;
  std::string absent;  // why it was not run; empty when it was
  std::int64_t cells = 0;
  int domains = 0;
  // Chosen against the truth: the autoencoder where there are several, and the options of the
  // clustering of m2ST4 and m2ST.
  std::array<Reproduced, kVariants> variants;
  Reproduced by_silhouette;  // m2ST of the first autoencoder chosen without the truth
  Reproduced by_default;     // the same embeddings by `m2st cluster`
  std::optional<double> published_labels_ari;  // of published_labels.txt, where it is
};

struct ReproduceHooks {
  std::function<void(const std::string& stage, const std::string& message)> note;
  std::function<void(const SweepProgress&)> progress;
  std::function<int()> stop_signal;
};

// Writes reproduce.md, reproduce.json and manifest.json; embeddings and sweeps of each set go into
// folders of their own, and a sweep found there is continued. Exit code 3 when the data folder is
// missing or holds none of the sets.
void run_reproduce(const ReproduceOptions& options, const std::vector<Setting>& settings,
                   const std::vector<std::string>& command, const ReproduceHooks& hooks);

}  // namespace m2st::apps
