#include "data/io/tenx_features.h"

#include <map>
#include <utility>

#include "data/io/sparse_builder.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr const char* kGene = "Gene Expression";

void check_lengths(const std::string& path, const TenxFeatures& features) {
  const std::size_t size = features.ids.size();
  const auto fits = [&](const std::vector<std::string>& list) {
    return list.empty() || list.size() == size;
  };
  if (features.names.size() == size && fits(features.kinds) && fits(features.genomes)) return;
  fail(ExitCode::kInputInvalid, path,
       ": its lists of features differ in length; the file is damaged");
}

}  // namespace

void take_genes(const std::string& path, TenxFeatures features, const std::string& genome,
                Expression& expression) {
  check_lengths(path, features);
  std::vector<std::int32_t> kept;
  std::map<std::string, std::int64_t> others;
  for (std::size_t i = 0; i < features.ids.size(); ++i) {
    const bool gene = features.kinds.empty() || features.kinds[i] == kGene;
    const bool wanted = genome.empty() || features.genomes.empty() || features.genomes[i] == genome;
    if (gene && wanted) {
      kept.push_back(static_cast<std::int32_t>(i));
      expression.genes.push_back(std::move(features.names[i]));
      expression.gene_ids.push_back(std::move(features.ids[i]));
    } else {
      ++others[gene ? "genes of genome " + features.genomes[i] : features.kinds[i]];
    }
  }
  for (const auto& [kind, count] : others) {
    expression.skipped.push_back(concat(count, " features of kind '", kind, "'"));
  }
  if (kept.empty()) {
    fail(ExitCode::kInputInvalid, path, ": holds no genes (features of kind '", kGene, "'",
         genome.empty() ? "" : " of genome " + genome, ") among ", features.ids.size(),
         " features");
  }
  if (kept.size() < features.ids.size()) {
    expression.values = selected_columns(expression.values, kept);
  }
  expression.found.push_back(concat("values: ", expression.values.rows, " cells by ", kept.size(),
                                    " genes, ", expression.values.entries(), " not zero"));
}

}  // namespace m2st::data
