// The order of the steps. Genes are rows while they are filtered, chosen and scaled; cells are rows
// where cells are counted and projected.
#include "data/prep/prepare.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "data/prep/pca.h"
#include "data/prep/value_check.h"
#include "data/prep/variable_genes.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kCellGrain = 256;
constexpr std::int64_t kGeneGrain = 16;
constexpr std::int64_t kMostFeatures = 2000;  // beyond it a dense matrix is nobody's wish
constexpr float kLargestLog = 80;             // expm1 of more leaves the range of float

int usual_components(Recipe recipe) { return recipe == Recipe::kReference ? 200 : 50; }

// The members of `positions` at `kept`.
std::vector<std::int32_t> chosen(const std::vector<std::int32_t>& positions,
                                 const std::vector<std::int32_t>& kept) {
  std::vector<std::int32_t> out;
  for (const std::int32_t i : kept) out.push_back(positions[i]);
  return out;
}

class Preparation {
 public:
  Preparation(CpuContext& context, const DenseWork& dense, Expression& expression,
              const PrepareOptions& options)
      : context_(context),
        dense_(dense),
        options_(options),
        by_cell_(std::move(expression.values)) {
    expression.values = {};
    result_.cells.resize(static_cast<std::size_t>(by_cell_.rows));
    result_.genes.resize(static_cast<std::size_t>(by_cell_.columns));
    std::iota(result_.cells.begin(), result_.cells.end(), 0);
    std::iota(result_.genes.begin(), result_.genes.end(), 0);
  }

  Prepared run() {
    filter_cells();
    by_gene_ = transposed(context_, by_cell_);
    filter_genes();
    std::vector<double> scores;
    if (options_.variable_genes == VariableGenes::kSeuratV3 && choosing()) {
      scores = seurat_v3_scores(context_, by_gene_);
    }
    normalise();
    by_cell_ = {};
    if (options_.variable_genes == VariableGenes::kSeurat && choosing()) {
      scores = seurat_scores_of_logs();
    }
    if (!scores.empty()) choose_genes(scores);
    absent_.assign(static_cast<std::size_t>(by_gene_.rows), 0.0);
    if (options_.scale) {
      absent_ = scale(context_, options_.scaling, by_gene_);
      step("scaled every gene to variance 1",
           options_.scaling.max_value > 0 ? concat(", clipped at ", options_.scaling.max_value)
                                          : "");
    }
    by_cell_ = transposed(context_, by_gene_);
    result_.total_variance = total_variance(context_, by_gene_);
    if (options_.pca) {
      find_components();
    } else {
      write_values();
    }
    return std::move(result_);
  }

 private:
  template <class... Parts>
  void step(const Parts&... parts) {
    result_.steps.push_back(concat(parts...));
  }
  template <class... Parts>
  void warn(const Parts&... parts) {
    result_.warnings.push_back("prepare: " + concat(parts...));
  }
  std::int64_t cells() const { return static_cast<std::int64_t>(result_.cells.size()); }
  std::int64_t genes() const { return static_cast<std::int64_t>(result_.genes.size()); }
  bool choosing() const { return options_.top_genes < genes(); }

  void filter_cells();
  void filter_genes();
  void normalise();
  std::vector<double> seurat_scores_of_logs();
  void choose_genes(const std::vector<double>& scores);
  void find_components();
  void write_values();
  int component_count();
  PrincipalComponents components(int count);
  void turn_to_scores(PrincipalComponents& components);

  CpuContext& context_;
  DenseWork dense_;
  const PrepareOptions& options_;
  SparseMatrix by_cell_, by_gene_;
  std::vector<double> absent_;  // what an entry that is not stored stands for
  Prepared result_;
};

void Preparation::filter_cells() {
  std::vector<std::int32_t> kept;
  for (std::int64_t cell = 0; cell < by_cell_.rows; ++cell) {
    const Span<const float> values = std::as_const(by_cell_).row_values(cell);
    const auto present =
        std::count_if(values.begin(), values.end(), [](float v) { return v != 0; });
    const double total = std::accumulate(values.begin(), values.end(), 0.0);
    if (present >= options_.min_genes && !(total < options_.min_counts)) {
      kept.push_back(static_cast<std::int32_t>(cell));
    }
  }
  if (static_cast<std::int64_t>(kept.size()) == cells()) return;
  if (kept.empty()) {
    fail(ExitCode::kParameterImpossible, "prepare: no cell has ", options_.min_genes,
         " genes and a total of ", options_.min_counts, "; lower --min-genes or --min-counts");
  }
  step("kept ", kept.size(), " of ", cells(), " cells: those with at least ", options_.min_genes,
       " genes and a total of ", options_.min_counts);
  by_cell_ = selected_rows(context_, by_cell_, kept);
  result_.cells = std::move(kept);
}

void Preparation::filter_genes() {
  std::vector<std::int32_t> kept;
  for (std::int64_t gene = 0; gene < by_gene_.rows; ++gene) {
    const Span<const float> values = std::as_const(by_gene_).row_values(gene);
    const auto present =
        std::count_if(values.begin(), values.end(), [](float v) { return v != 0; });
    if (present >= options_.min_cells) kept.push_back(static_cast<std::int32_t>(gene));
  }
  if (kept.empty()) {
    fail(ExitCode::kInputInvalid, "prepare: no gene is present in ", options_.min_cells,
         options_.min_cells == 1 ? " cell: all values are zero" : " cells; lower --min-cells");
  }
  step("kept ", kept.size(), " of ", genes(), " genes: those present in at least ",
       options_.min_cells, options_.min_cells == 1 ? " cell" : " cells");
  if (static_cast<std::int64_t>(kept.size()) == genes()) return;
  by_gene_ = selected_rows(context_, by_gene_, kept);
  by_cell_ = selected_columns(context_, by_cell_, kept);
  result_.genes = std::move(kept);
}

void Preparation::normalise() {
  if (options_.normalise) {
    const LibrarySizes sizes = library_sizes(context_, by_cell_, by_gene_, options_.target_sum,
                                             options_.dominant, options_.max_fraction);
    data::normalise(context_, sizes, by_gene_);
    step("normalised every cell to a total of ", sizes.target,
         options_.target_sum > 0 ? "" : " (the median)",
         options_.dominant != DominantGenes::kCounted && sizes.too_many == 0
             ? concat(", not counting ", sizes.ignored.size(), " genes above ",
                      options_.max_fraction, " of some cell's total")
             : "");
    if (sizes.too_many > 0) {
      step("counted all genes: ", sizes.too_many, " of ", genes(), " are above ",
           options_.max_fraction, " of some cell's total, too many to be left out");
    }
    if (sizes.empty_cells > 0) {
      warn(sizes.empty_cells, sizes.empty_cells == 1 ? " cell has" : " cells have",
           " no counts and cannot be told from each other; --min-counts 1 leaves them out");
    }
  }
  if (options_.log1p) {
    take_log1p(context_, by_gene_);
    step("took log(1 + x)");
  }
}

std::vector<double> Preparation::seurat_scores_of_logs() {
  const auto largest = std::max_element(by_gene_.values.begin(), by_gene_.values.end());
  if (largest != by_gene_.values.end() && *largest > kLargestLog) {
    fail(ExitCode::kInputInvalid,
         "prepare: the flavour seurat needs logged values, the largest is ", *largest,
         "; give --log1p on, or --hvg seurat_v3 for counts");
  }
  return seurat_scores(context_, by_gene_);
}

void Preparation::choose_genes(const std::vector<double>& scores) {
  const bool seurat = options_.variable_genes == VariableGenes::kSeurat;
  const std::vector<std::int32_t> kept = seurat ? genes_from_cutoff(scores, options_.top_genes)
                                                : top_genes(scores, options_.top_genes);
  step("chose the ", kept.size(), " most variable of ", genes(), " genes (",
       seurat ? "seurat" : "seurat_v3", ")");
  by_gene_ = selected_rows(context_, by_gene_, kept);
  result_.scored = result_.genes;
  result_.scores = scores;
  result_.genes = chosen(result_.genes, kept);
}

// What was asked for, or the recipe's number where the data has as much: N cells span N − 1
// dimensions once their mean is gone.
int Preparation::component_count() {
  if (options_.components > 0) return options_.components;
  const int usual = usual_components(options_.recipe);
  const std::int64_t most =
      std::max<std::int64_t>(1, std::min(by_cell_.rows - 1, by_cell_.columns));
  if (most >= usual) return usual;
  warn(by_cell_.rows, " cells with ", by_cell_.columns, " genes have ", most,
       most == 1 ? " principal component" : " principal components", ", fewer than the usual ",
       usual);
  return static_cast<int>(most);
}

void Preparation::find_components() {
  if (!(result_.total_variance > 0)) {
    fail(ExitCode::kInputInvalid, "prepare: ", cells(), cells() == 1 ? " cell" : " cells",
         " with the same values in every gene: there is nothing to tell them apart");
  }
  const int count = component_count();
  PrincipalComponents found = components(count);
  if (options_.sign == SignRule::kScores) turn_to_scores(found);
  const double explained = std::accumulate(found.variances.begin(), found.variances.end(), 0.0);
  step("took ", count, " principal components, ",
       std::round(1000 * explained / result_.total_variance) / 10, " % of the variance");
  result_.features = std::move(found.scores);
  result_.axes = std::move(found.axes);
  result_.variances = std::move(found.variances);
}

// All of them by one backend: what a device had made before its memory ran out is made again.
PrincipalComponents Preparation::components(int count) {
  result_.by_device = dense_.backend != nullptr && !dense_.backend->on_host();
  try {
    return principal_components(context_, by_cell_, by_gene_, count, dense_.backend);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kOutOfMemory || !result_.by_device) throw;
    const std::string reason =
        concat("the device has too little memory for principal components of ", by_cell_.rows,
               " cells with ", by_cell_.columns, " genes: ", error.what());
    if (!dense_.or_host) {
      fail(ExitCode::kOutOfMemory, "prepare: ", reason, "; use fewer genes or --device cpu");
    }
    warn("runs on the CPU: ", reason);
    result_.by_device = false;
  }
  return principal_components(context_, by_cell_, by_gene_, count);
}

void Preparation::turn_to_scores(PrincipalComponents& components) {
  for (std::int64_t c = 0; c < components.scores.cols(); ++c) {
    float largest = 0;
    for (std::int64_t i = 0; i < components.scores.rows(); ++i) {
      if (std::abs(components.scores(i, c)) > std::abs(largest)) largest = components.scores(i, c);
    }
    if (largest >= 0) continue;
    for (std::int64_t i = 0; i < components.scores.rows(); ++i) components.scores(i, c) *= -1;
    for (double& entry : components.axes.view().row(c)) entry = -entry;
  }
}

void Preparation::write_values() {
  if (by_cell_.columns > kMostFeatures) {
    fail(ExitCode::kParameterImpossible, "prepare: ", by_cell_.columns,
         " genes as features without components, at most ", kMostFeatures,
         "; choose fewer with --n-top-genes, or leave --pca on");
  }
  result_.features = Matrix<float>(context_.pool(), by_cell_.rows, by_cell_.columns);
  parallel_for(context_, by_cell_.rows, kCellGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t cell = begin; cell < end; ++cell) {
      const Span<float> row = result_.features.view().row(cell);
      std::transform(absent_.begin(), absent_.end(), row.begin(),
                     [](double value) { return static_cast<float>(value); });
      for (std::int64_t e = by_cell_.offsets[cell]; e < by_cell_.offsets[cell + 1]; ++e) {
        const std::int32_t gene = by_cell_.indices[e];
        row[gene] = static_cast<float>(absent_[gene] + by_cell_.values[e]);
      }
    }
  });
  step("took the values of ", by_cell_.columns, " genes as features");
}

}  // namespace

void apply_recipe(Recipe recipe, PrepareOptions& options) {
  PrepareOptions defaults;
  defaults.recipe = recipe;
  if (recipe != Recipe::kReference) defaults.dominant = DominantGenes::kCounted;
  if (recipe == Recipe::kLog) {
    defaults.target_sum = 1e4;
    defaults.log1p = true;
    defaults.variable_genes = VariableGenes::kSeuratV3;
  }
  if (recipe == Recipe::kNone) defaults.normalise = defaults.scale = false;
  defaults.min_cells = options.min_cells;
  defaults.min_genes = options.min_genes;
  defaults.min_counts = options.min_counts;
  defaults.components = options.components;
  defaults.sign = options.sign;
  options = defaults;
}

Prepared prepare(CpuContext& context, Expression& expression, const PrepareOptions& options,
                 const DenseWork& dense) {
  if (expression.values.rows == 0 || expression.values.columns == 0) {
    fail(ExitCode::kInputInvalid, "prepare: there are ", expression.values.rows, " cells and ",
         expression.values.columns, " genes; nothing can be made of them");
  }
  check_values(context, expression, options);
  return Preparation(context, dense, expression, options).run();
}

}  // namespace m2st::data
