// From counts to features, with scanpy's numbers on the way: filter, normalise, log, choose genes,
// scale, principal components. A recipe is a set of these steps; each can be changed alone.
#pragma once

#include <string>
#include <vector>

#include "data/io/expression.h"
#include "data/prep/normalise.h"
#include "engine/array.h"
#include "engine/context.h"

namespace m2st::data {

// kLog: 10,000 counts a cell, log1p, 3,000 variable genes, scaled, 50 components. kReference: what
// the reference's inputs were made with: shares of each cell's total (few dominant genes left out),
// no log, all genes, scaled, 200 components. kNone: components of the values as they are.
enum class Recipe { kLog, kReference, kNone };

enum class VariableGenes { kAll, kSeurat, kSeuratV3 };

// Which entry of a component is made positive: its largest loading, as scikit-learn does since 1.5,
// or its largest score, as it did before.
enum class SignRule { kLoadings, kScores };

// The defaults are those of kReference; docs/preparation.md says why.
struct PrepareOptions {
  Recipe recipe = Recipe::kReference;
  std::int64_t min_cells = 1;  // genes present in fewer cells go
  std::int64_t min_genes = 0;  // cells with fewer genes go
  double min_counts = 0;       // cells with a smaller total go
  bool normalise = true;       // every cell to the same total
  double target_sum = 1;       // that total; 0: the median of the cells' own
  DominantGenes dominant = DominantGenes::kLeftOutIfFew;  // of the totals
  double max_fraction = 0.05;                             // of a cell's total: dominant beyond
  bool log1p = false;
  VariableGenes variable_genes = VariableGenes::kAll;
  std::int64_t top_genes = 3000;  // all, where there are fewer
  bool scale = true;
  ScaleOptions scaling;
  bool pca = true;     // otherwise the values themselves are the features
  int components = 0;  // 0: the recipe's number, or as many as the data has
  SignRule sign = SignRule::kLoadings;
};

// Every step as the recipe has it; min_cells, min_genes, min_counts, components and sign stay.
void apply_recipe(Recipe recipe, PrepareOptions& options);

struct Prepared {
  Matrix<float> features;            // (cells kept, d)
  std::vector<std::int32_t> cells;   // kept, as positions in the input, ascending
  std::vector<std::int32_t> genes;   // that features rest on, as positions in the input, ascending
  std::vector<std::int32_t> scored;  // genes that had a chance to be chosen, and their scores;
  std::vector<double> scores;        // empty where all were taken
  Matrix<double> axes;               // (d, genes): loadings; empty without components
  std::vector<double> variances;     // (d), divided by N - 1; empty without components
  double total_variance = 0;         // of all genes that features rest on
  bool by_device = false;            // components were made on one
  std::vector<std::string> steps;    // what was done, a line each
  std::vector<std::string> warnings;
};

// Where the square matrices of principal components are decomposed: the host when null. or_host:
// where a device has no memory for them the host does it all, and a warning says so; otherwise that
// ends with exit code 6.
struct DenseWork {
  Context* backend = nullptr;
  bool or_host = false;
};

// Takes expression.values (left empty); names are for messages. Exit codes: 4 when the values
// cannot be prepared so (negative, fractional or logged already, nothing to tell cells apart), 5
// when an option asks for more than there is.
Prepared prepare(CpuContext& context, Expression& expression, const PrepareOptions& options,
                 const DenseWork& dense = {});

}  // namespace m2st::data
