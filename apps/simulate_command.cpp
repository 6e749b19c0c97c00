// simulate: a tissue with known domains, as the files that run takes.
#include <fmt/format.h>

#include <memory>

#include "apps/command.h"
#include "apps/pipeline/output_folder.h"
#include "apps/pipeline/run_settings.h"
#include "data/io/npy.h"
#include "data/simulate/simulate.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

struct SimulateCommandOptions {
  data::SimulateOptions tissue;
  std::string output;
  bool force = false;
  int threads = 0;
};

void run_simulate(const SimulateCommandOptions& options) {
  if (options.tissue.domains > options.tissue.cells) {
    fail(ExitCode::kParameterImpossible, "--domains: ", options.tissue.domains,
         " domains cannot be made of ", options.tissue.cells, " cells");
  }
  CpuContext context(options.threads);
  OutputFolder folder(options.output, options.force);
  const data::SimulatedTissue tissue = data::simulate_tissue(context, options.tissue);
  std::string labels;
  for (const std::int32_t domain : tissue.domains) labels += fmt::format("domain{}\n", domain);
  const bool counts = options.tissue.signal == data::Signal::kCounts;
  folder.write(counts ? "counts.npy" : "features.npy",
               data::npy_bytes<float>(tissue.values.view()));
  folder.write("coords.npy", data::npy_bytes<double>(tissue.coordinates.view()));
  folder.write("labels.txt", labels);
  folder.commit();
}

}  // namespace

Command simulate_command() {
  const auto options = std::make_shared<SimulateCommandOptions>();
  data::SimulateOptions& tissue = options->tissue;
  const Range at_least_one = {1};
  const Range at_least_zero = {0};
  const Range positive = {0, std::numeric_limits<double>::infinity(), true};
  const std::string group = "Tissue";
  Command command{"simulate", "a tissue with known domains, any size", {}, {}};
  command.settings = {
      {"-n,--cells", "N", "number of cells", group, &tissue.cells, at_least_one},
      {"-k,--domains", "K", "number of domains", group, &tissue.domains, at_least_one},
      {"--shape", "SHAPE", "layers or blobs", group, choice(tissue.shape, {"layers", "blobs"})},
      {"--pattern", "PATTERN", "hex, square or random", group,
       choice(tissue.pattern, {"hex", "square", "random"})},
      {"--signal", "KIND", "components (features.npy) or counts (counts.npy)", group,
       choice(tissue.signal, {"counts", "components"})},
      {"--genes", "N", "of counts", group, &tissue.genes, at_least_one},
      {"--components", "N", "of components", group, &tissue.components, at_least_one},
      {"--dispersion", "X", "of counts: variance = mean + mean²/X", group, &tissue.dispersion,
       positive},
      {"--depth", "X", "mean counts a cell", group, &tissue.depth, positive},
      {"--marker-fold", "X", "fold change of marker genes", group, &tissue.marker_fold, positive},
      {"--noise", "X", "of components, over the spread between domains", group, &tissue.noise,
       at_least_zero},
      {"-o,--out", "DIR", "folder for the files", "Output", &options->output, {}, true},
      {"--force", "", "write into a folder that holds files", "Output", &options->force},
      seed_setting(tissue.seed),
      threads_setting(options->threads),
  };
  command.execute = [options](const std::vector<std::string>&) { run_simulate(*options); };
  return command;
}

}  // namespace m2st::apps
