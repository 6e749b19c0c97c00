// 10x .h5: features × barcodes compressed by barcode, which is cells × genes compressed by cell.
#include <utility>

#include "data/io/hdf5_formats.h"
#include "data/io/hdf5_matrix.h"
#include "data/io/names.h"
#include "data/io/tenx_features.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

// Of version 2, where every genome is a group of the root.
std::string genome_group(Hdf5Source& source, const std::string& genome) {
  std::vector<std::string> genomes;
  for (const std::string& child : source.object("/").children) {
    if (source.object("/" + child).has_child("indptr")) genomes.push_back(child);
  }
  if (genome.empty() && genomes.size() == 1) return genomes[0];
  for (const std::string& one : genomes) {
    if (one == genome) return one;
  }
  fail(ExitCode::kInputInvalid, source.path(), ": ",
       genome.empty() ? "holds several genomes" : "has no genome '" + genome + "'",
       "; choose one with --genome: ", listed(genomes, 30));
}

SparseMatrix read_counts(CpuContext& context, Hdf5Source& source, const std::string& group,
                         std::int64_t cells, std::int64_t features) {
  const std::vector<std::int64_t> shape = source.numbers<std::int64_t>(group + "/shape");
  if (shape.size() != 2 || shape[0] != features || shape[1] != cells) {
    fail(ExitCode::kInputInvalid, source.path(), ": ", group, "/shape does not say ", features,
         " features by ", cells, " barcodes, which is what there is; the file is damaged");
  }
  return read_compressed(
      context, source,
      {group + "/data", group + "/indices", group + "/indptr", true, cells, features});
}

}  // namespace

Expression read_tenx_h5(CpuContext& context, Hdf5Source& source, const ReadOptions& options) {
  const bool third = source.object("/matrix").is_group();
  const std::string group = third ? "/matrix" : "/" + genome_group(source, options.genome);
  const std::string features = third ? group + "/features" : group;
  TenxFeatures table;
  table.ids = source.texts(third ? features + "/id" : features + "/genes");
  table.names = source.texts(third ? features + "/name" : features + "/gene_names");
  if (third && source.object(features + "/feature_type").is_dataset()) {
    table.kinds = source.texts(features + "/feature_type");
  }
  if (third && source.object(features + "/genome").is_dataset()) {
    table.genomes = source.texts(features + "/genome");
  }
  Expression expression;
  expression.format = third ? "10x .h5 v3" : "10x .h5 v2";
  expression.cells = source.texts(group + "/barcodes");
  expression.values =
      read_counts(context, source, group, static_cast<std::int64_t>(expression.cells.size()),
                  static_cast<std::int64_t>(table.ids.size()));
  take_genes(source.path(), std::move(table), third ? options.genome : "", expression);
  return expression;
}

}  // namespace m2st::data
