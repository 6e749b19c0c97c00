// Names and ranges; what they do to the data is in data/prep.
#include "apps/pipeline/prepare_settings.h"

namespace m2st::apps {

namespace {

constexpr Range kAtLeastZero = {0};
constexpr Range kAtLeastOne = {1};
constexpr Range kPartOfTotal = {0, 1, true};

Setting recipe_setting(data::PrepareOptions& options) {
  Choice recipes = choice(options.recipe, {"log", "m2st", "none"});
  recipes.choose = [&options](std::size_t i) {
    data::apply_recipe(static_cast<data::Recipe>(i), options);
  };
  return {"--recipe",
          "NAME",
          "m2st (as the paper's inputs), log or none; the options below change it",
          "Preparation",
          recipes,
          {},
          false,
          true};
}

}  // namespace

std::vector<Setting> prepare_settings(data::PrepareOptions& options) {
  const std::string group = "Preparation";
  return {
      recipe_setting(options),
      {"--min-cells", "N", "leave out genes seen in fewer cells", group, &options.min_cells,
       kAtLeastZero},
      {"--min-genes", "N", "leave out cells with fewer genes", group, &options.min_genes,
       kAtLeastZero},
      {"--min-counts", "X", "leave out cells with a smaller total", group, &options.min_counts,
       kAtLeastZero},
      {"--normalize", "on|off", "every cell to the same total", group,
       switch_choice(options.normalise)},
      {"--target-sum", "X", "that total; 0: the median of the cells' own", group,
       &options.target_sum, kAtLeastZero},
      {"--exclude-highly-expressed", "on|off|auto",
       "leave dominant genes out of the totals; auto: if they are few", group,
       choice(options.dominant, {"off", "on", "auto"})},
      {"--max-fraction", "P", "of a cell's total: a gene beyond it is dominant", group,
       &options.max_fraction, kPartOfTotal},
      {"--log1p", "on|off", "log(1 + x)", group, switch_choice(options.log1p)},
      {"--hvg", "FLAVOUR", "all, seurat or seurat_v3: how variable genes are chosen", group,
       choice(options.variable_genes, {"all", "seurat", "seurat_v3"})},
      {"--n-top-genes", "N", "of them; where there are fewer, all", group, &options.top_genes,
       kAtLeastOne},
      {"--scale", "on|off", "every gene to variance 1", group, switch_choice(options.scale)},
      {"--zero-center", "on|off", "scaled genes to mean 0 before they are clipped", group,
       switch_choice(options.scaling.zero_centre)},
      {"--max-value", "X", "clip scaled values there; 0: never", group, &options.scaling.max_value,
       kAtLeastZero},
      {"--pca", "on|off", "off: the values themselves are the features", group,
       switch_choice(options.pca)},
      {"--n-pcs", "N", "components; 0: as the recipe has it", group, &options.components,
       kAtLeastZero},
      {"--pca-sign", "RULE", "v: largest loading positive (scikit-learn 1.5 on); u: largest score",
       group, choice(options.sign, {"v", "u"})},
  };
}

}  // namespace m2st::apps
