// Names, help and ranges of the options. Ranges that depend on the data are checked by the stages.
#include "apps/pipeline/run_settings.h"

#include <algorithm>

#include "apps/pipeline/prepare_settings.h"
#include "apps/pipeline/read_settings.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

constexpr Range kPositive = {0, std::numeric_limits<double>::infinity(), true};
constexpr Range kAtLeastZero = {0};
constexpr Range kAtLeastOne = {1};
constexpr Range kShare = {0, 1};
constexpr Range kPercentile = {0, 100};
constexpr int kMostThreads = 1024;
constexpr int kMostRefinements = 1000;
constexpr int kMostLayers =
    100;  // far beyond what trains; each is a step that cannot be interrupted

Setting file(const std::string& flags, const std::string& value, const std::string& help,
             std::string& target, bool required = false) {
  return {flags, value, help, "Input", &target, {}, required};
}

Setting coordinates_setting(RunOptions& options, bool required) {
  return file("--coords", "FILE", "positions (cells × 2 or 3), .npy or text",
              options.input.coordinates, required);
}

std::vector<Setting> expression_settings(RunOptions& options) {
  return {
      file("input", "INPUT",
           "counts: .h5ad, 10x .h5, GEF, GEM, CSV, MTX, folder of Visium, Xenium or m2st prepare",
           options.input.expression),
      file("--counts", "FILE", "the same as INPUT, for use beside --coords",
           options.input.expression),
  };
}

Setting sections_setting(RunOptions& options) {
  return file("--sections", "FILE", "section of each cell; no edges go between sections",
              options.input.sections);
}

Setting adjacency_setting(RunOptions& options) {
  return file("--adjacency,--use-graph", "GRAPH",
              "your own: SciPy .npz, or the folder of m2st graph", options.input.adjacency);
}

std::vector<Setting> graph_settings(RunOptions& options) {
  data::SpatialGraphOptions& graph = options.graph;
  return {
      {"--graph", "KIND", "auto, radius, knn, delaunay or grid", "Graph",
       choice(graph.kind, {"auto", "radius", "knn", "delaunay", "grid"})},
      {"--radius", "R", "makes a radius graph, in coordinate units; automatic: mean degree about 6",
       "Graph", &graph.radius, kPositive},
      {"--min-radius", "R", "leaves out shorter edges of a radius or Delaunay graph", "Graph",
       &graph.least_radius, kAtLeastZero},
      {"--neighbors", "N", "makes a knn graph, or a grid with --graph grid", "Graph",
       &graph.neighbours, kAtLeastOne},
      {"--rings", "N", "of a grid: everything in that many steps", "Graph", &graph.rings,
       kAtLeastOne},
      {"--graph-semantics", "WHOSE", "m2st, or squidpy: its graphs edge for edge", "Graph",
       choice(graph.semantics, {"m2st", "squidpy"})},
      {"--percentile", "P", "leaves out edges above this percentile of lengths, as squidpy does",
       "Graph", &graph.percentile, kPercentile},
      {"--transform", "HOW", "none, spectral or cosine: squidpy's weights, in files only", "Graph",
       choice(graph.transform, {"none", "spectral", "cosine"})},
      {"--set-diag", "on|off", "every cell its own neighbour, in files only", "Graph",
       switch_choice(graph.diagonal)},
  };
}

std::vector<Setting> model_settings(RunOptions& options) {
  model::AutoencoderConfig& model = options.autoencoder;
  const std::string group = "Model";
  return {
      {"--scales", "M", "embeddings of width hidden, hidden/2, ...", group, &model.scales,
       kAtLeastOne},
      {"--hidden", "WIDTH", "width of scale 1", group, &model.hidden, kAtLeastOne},
      {"--heads", "N", "attention heads of the encoders", group, &model.heads, kAtLeastOne},
      {"--layers", "N", "attention layers a scale", group, &model.layers, {1, kMostLayers}},
      {"--shared-width", "WIDTH", "of the shared layer, a head; 0: the features' width", group,
       &model.shared_width, kAtLeastZero},
      {"--decoder-heads", "N", "attention heads of the decoders", group, &model.decoder_heads,
       kAtLeastOne},
      {"--leaky-slope", "X", "of LeakyReLU in the attention", group, &model.leaky_slope,
       kAtLeastZero},
      {"--head-merge", "HOW", "concatenate or sum", group,
       choice(model.head_merge, {"concatenate", "sum"})},
      {"--shared-activation", "on|off", "PReLU after the shared layer", group,
       switch_choice(model.shared_activation)},
      {"--decoder-activation", "on|off", "PReLU after the decoders", group,
       switch_choice(model.decoder_activation)},
      {"--encoder-to-decoder", "on|off", "linear map between them", group,
       switch_choice(model.encoder_to_decoder)},
      {"--bias", "on|off", "biases in the attention layers", group, switch_choice(model.bias)},
      {"--remask", "HOW", "zero or learnable", group, choice(model.remask, {"zero", "learnable"})},
      {"--feature-dropout", "P", "on the input of every layer", group, &model.feature_dropout,
       kShare},
      {"--attention-dropout", "P", "on attention coefficients", group, &model.attention_dropout,
       kShare},
  };
}

std::vector<Setting> train_settings(RunOptions& options) {
  model::TrainConfig& train = options.train;
  const std::string group = "Training";
  return {
      {"--epochs", "N", "passes over the data", group, &train.epochs, kAtLeastZero},
      {"--lr", "X", "learning rate of Adam", group, &train.learning_rate, kPositive},
      {"--mask-rate", "P", "share of cells masked an epoch", group, &train.mask_rate, kShare},
      {"--replace-rate", "P", "share of the masked that get another cell's features", group,
       &train.replace_rate, kShare},
      {"--gamma", "X", "exponent of the scaled cosine loss", group, &train.gamma, kPositive},
      {"--loss", "KIND", "cosine or mse", group, choice(train.loss, {"cosine", "mse"})},
      {"--weight-decay", "X", "L2 on every parameter", group, &train.weight_decay, kAtLeastZero},
      {"--decoupled-decay", "on|off", "AdamW", group, switch_choice(train.decoupled_decay)},
      {"--patience", "N", "epochs without gain before stopping; 0: never", group, &train.patience,
       kAtLeastZero},
      {"--plateau-tolerance", "X", "relative gain that counts for --patience", group,
       &train.plateau_tolerance, kAtLeastZero},
      {"--checkpoint-every", "N", "epochs; 0: only when interrupted", group,
       &train.checkpoint_every, kAtLeastZero},
      {"--matmul-precision", "HOW",
       "highest: float32; high: products' operands in TF32; medium: in BF16; sums in float32",
       group, choice(train.matmul_precision, {"highest", "high", "medium"})},
      {"--matmul-library", "NAME", "auto, own or cublaslt: whose products a CUDA device makes",
       group, choice(options.matmul_library, {"auto", "own", "cublaslt"})},
      {"--memory", "HOW", "auto, fast, or low: recompute more, keep less; results do not change",
       group, choice(options.memory, {"auto", "fast", "low"})},
      {"--resume", "", "continue from the checkpoint in DIR", group, &options.resume},
  };
}

// Sets a whole column of defaults, so it goes before every other setting.
Setting compatibility_setting(RunOptions& options) {
  Choice columns = choice(options.compatibility, {"none", "paper", "reference"});
  columns.choose = [&options](std::size_t i) {
    options.compatibility = static_cast<Compatibility>(i);
    if (options.compatibility == Compatibility::kNone) return;
    model::apply_compatibility(i == 1 ? "paper" : "reference", options.autoencoder, options.train);
    options.cluster.method = cluster::Method::kReference;
  };
  return {"--compat", "COLUMN", "every option as the paper or its reference code has it",
          "Model",    columns,  {},
          false,      true};
}

std::vector<Setting> cluster_settings(RunOptions& options) {
  return {
      {"-k,--domains",
       "K|auto",
       "number of domains",
       "Clustering",
       CountOrAuto{&options.cluster.domains, &options.automatic_domains},
       {},
       true},
      {"--k-range", "LOW-HIGH", "numbers of domains that auto looks at", "Clustering",
       Interval{&options.domain_count.least, &options.domain_count.most}, kAtLeastOne},
      {"--method", "NAME", "default, kmeans, mixture or reference", "Clustering",
       choice(options.cluster.method, {"default", "kmeans", "mixture", "reference"})},
      {"--refine",
       "PASSES",
       "of majority refinement in space afterwards",
       "Clustering",
       &options.cluster.refinement,
       {0, kMostRefinements}},
      file("--labels", "FILE", "known domains, to score the result by", options.input.labels),
  };
}

std::vector<Setting> result_settings(RunOptions& options) {
  return {
      {"--h5ad", "on|off", "result.h5ad: a copy of INPUT with the results", "Output",
       switch_choice(options.result_h5ad)},
      {"--in-place", "", "results go into INPUT, an .h5ad, in place of result.h5ad", "Output",
       &options.in_place},
  };
}

std::vector<Setting> common_settings(RunOptions& options) {
  return {
      {"-o,--out", "DIR", "folder for the results", "Output", &options.output, {}, true},
      {"--force", "", "write into a folder that holds files", "Output", &options.force},
      {"--dry-run", "", "print sizes, graph and the memory of training, then stop", "Output",
       &options.dry_run},
      seed_setting(options.seed),
      threads_setting(options.threads),
      device_setting(options.device),
  };
}

std::vector<Setting> input_settings(Job job, RunOptions& options) {
  const bool takes_counts = job != Job::kCluster;
  const bool takes_features = job != Job::kGraph && job != Job::kPrepare;
  std::vector<Setting> settings;
  if (takes_counts) add(settings, expression_settings(options));
  if (takes_features) {
    add(settings,
        {file("--features", "FILE", "cells × features, .npy, in place of INPUT or of embeddings",
              options.input.features)});
  }
  add(settings, {coordinates_setting(options, false)});
  if (job != Job::kGraph) add(settings, {adjacency_setting(options)});
  add(settings, {sections_setting(options)});
  if (job == Job::kCluster) {
    add(settings, {{"--embedding",
                    "FILE",
                    "cells × width, .npy, once for every scale; or the folder of m2st embed",
                    "Input",
                    &options.input.embeddings,
                    {},
                    true}});
  }
  if (job == Job::kEmbed) {
    add(settings, {file("--checkpoint", "FILE", "embed with these parameters, without training",
                        options.input.checkpoint)});
  }
  if (takes_counts) add(settings, read_settings(options.read));
  if (takes_counts && job != Job::kGraph) add(settings, prepare_settings(options.prepare));
  return settings;
}

}  // namespace

Setting device_setting(std::string& device) {
  constexpr int kMostDevices = 16;  // of one machine
  std::vector<std::string> names = {"auto", "cpu", "cuda"};
  for (int i = 0; i < kMostDevices; ++i) names.push_back(concat("cuda:", i));
  const auto choose = [&device, names](std::size_t i) { device = names[i]; };
  const auto chosen = [&device, names] {
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), device) - names.begin());
  };
  return {"--device", "NAME", "auto, cpu, cuda or cuda:N", "Common", Choice{names, choose, chosen}};
}

Setting threads_setting(int& threads) {
  return {"-t,--threads", "N",      "0: every processor allowed; results do not depend on it",
          "Common",       &threads, {0, kMostThreads}};
}

Setting seed_setting(std::uint64_t& seed) {
  return {"--seed", "S", "of everything random", "Common", &seed};
}

std::vector<Setting> run_settings(Job job, RunOptions& options) {
  const bool trains = job == Job::kRun || job == Job::kEmbed;
  const bool clusters = job == Job::kRun || job == Job::kCluster;
  std::vector<Setting> settings = input_settings(job, options);
  if (clusters) add(settings, cluster_settings(options));
  if (job != Job::kPrepare) add(settings, graph_settings(options));
  if (trains) {
    add(settings, {compatibility_setting(options)});
    add(settings, model_settings(options));
    add(settings, train_settings(options));
  }
  if (job == Job::kRun) add(settings, result_settings(options));
  add(settings, common_settings(options));
  return settings;
}

std::string to_string(Job job) {
  switch (job) {
    case Job::kRun:
      return "run";
    case Job::kPrepare:
      return "prepare";
    case Job::kGraph:
      return "graph";
    case Job::kEmbed:
      return "embed";
    case Job::kCluster:
      return "cluster";
  }
  return "";
}

}  // namespace m2st::apps
