// Stereo-seq's GEF: places (x, y, count), gene by gene, in HDF5. Files from the field hold bin 1
// only, so bins are made here; cell GEF is gathered by cell already.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/io/bins.h"
#include "data/io/hdf5_formats.h"
#include "data/io/names.h"
#include "data/io/sparse_builder.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

template <class... Parts>
[[noreturn]] void damaged(const Hdf5Source& source, const Parts&... parts) {
  fail(ExitCode::kInputInvalid, source.path(), ": ", parts..., "; the file is damaged");
}

// The finest bin there is whose multiple is asked for.
int stored_bin(Hdf5Source& source, int bin_size) {
  std::vector<std::string> there;
  for (const int bin : {1, 5, 10, 20, 50, 100, 150, 200}) {
    const std::string name = "bin" + std::to_string(bin);
    if (!source.object("/geneExp/" + name + "/expression").is_dataset()) continue;
    if (bin_size % bin == 0) return bin;
    there.push_back(name);
  }
  fail(ExitCode::kInputInvalid, source.path(), ": cannot be put into bins of ", bin_size,
       "; it holds: ", there.empty() ? "no bins" : listed(there),
       "; give a multiple with --bin-size");
}

struct GefGenes {
  std::vector<std::string> names;
  std::vector<std::string> ids;
  std::vector<std::int64_t> offsets;  // into the expression, one more than genes
};

GefGenes read_gef_genes(Hdf5Source& source, const std::string& path, std::int64_t entries) {
  const Hdf5Object& object = source.object(path);
  GefGenes genes;
  if (object.member("geneName") != nullptr) {
    genes.names = source.texts(path, "geneName");
    if (object.member("geneID") != nullptr) genes.ids = source.texts(path, "geneID");
  } else {
    genes.names = source.texts(path, object.member("gene") != nullptr ? "gene" : "geneID");
  }
  genes.offsets = source.numbers<std::int64_t>(path, "offset");
  const std::vector<std::int64_t> counts = source.numbers<std::int64_t>(path, "count");
  std::int64_t next = 0;
  for (std::size_t g = 0; g < genes.offsets.size(); ++g) {
    if (genes.offsets[g] != next || counts[g] < 0 || counts[g] > entries - next) {
      damaged(source, path, ": gene ", g, " does not begin where the one before it ends");
    }
    next += counts[g];
  }
  genes.offsets.push_back(next);
  if (next != entries) damaged(source, path, " covers ", next, " of ", entries, " entries");
  return genes;
}

}  // namespace

Expression read_gef(CpuContext& context, Hdf5Source& source, const ReadOptions& options) {
  Expression expression;
  expression.format = "Stereo-seq GEF";
  const int bin_size = chosen_bin_size(options.bin_size, expression);
  const int stored = stored_bin(source, bin_size);
  const std::string group = "/geneExp/bin" + std::to_string(stored);
  const std::string places = group + "/expression";
  const std::vector<std::int64_t> x = source.numbers<std::int64_t>(places, "x");
  const std::vector<std::int64_t> y = source.numbers<std::int64_t>(places, "y");
  const std::vector<double> counts = source.numbers<double>(places, "count");
  GefGenes genes = read_gef_genes(source, group + "/gene", std::ssize(x));
  Bins bins(bin_size);
  Entries entries;
  Narrowing narrow;
  for (std::size_t g = 0; g + 1 < genes.offsets.size(); ++g) {
    for (std::int64_t e = genes.offsets[g]; e < genes.offsets[g + 1]; ++e) {
      entries.add(bins.cell_at(x[e], y[e]), static_cast<std::int32_t>(g), narrow(counts[e]));
    }
  }
  narrow.check(source.path());
  expression.genes = std::move(genes.names);
  expression.gene_ids = std::move(genes.ids);
  bins.fill(context, entries, expression);
  return expression;
}

Expression read_cell_gef(CpuContext& context, Hdf5Source& source) {
  Expression expression;
  expression.format = "Stereo-seq cell GEF";
  const std::vector<std::int64_t> ids = source.numbers<std::int64_t>("/cellBin/cell", "id");
  const std::vector<double> x = source.numbers<double>("/cellBin/cell", "x");
  const std::vector<double> y = source.numbers<double>("/cellBin/cell", "y");
  const std::vector<std::int64_t> offsets = source.numbers<std::int64_t>("/cellBin/cell", "offset");
  const std::vector<std::int64_t> counts =
      source.numbers<std::int64_t>("/cellBin/cell", "geneCount");
  const std::vector<std::int64_t> genes =
      source.numbers<std::int64_t>("/cellBin/cellExp", "geneID");
  const std::vector<double> values = source.numbers<double>("/cellBin/cellExp", "count");
  const bool named = source.object("/cellBin/gene").member("geneName") != nullptr;
  expression.genes = source.texts("/cellBin/gene", named ? "geneName" : "gene");
  Entries entries;
  Narrowing narrow;
  const std::int64_t total = std::ssize(genes);
  expression.coordinates = Matrix<double>(context.pool(), std::ssize(ids), 2);
  for (std::size_t cell = 0; cell < ids.size(); ++cell) {
    if (offsets[cell] < 0 || counts[cell] < 0 || offsets[cell] > total - counts[cell]) {
      damaged(source, "/cellBin/cell: entry ", cell, " points outside /cellBin/cellExp");
    }
    for (std::int64_t e = offsets[cell]; e < offsets[cell] + counts[cell]; ++e) {
      if (genes[e] < 0 || genes[e] >= std::ssize(expression.genes)) {
        damaged(source, "/cellBin/cellExp names gene ", genes[e], " of ", expression.genes.size());
      }
      entries.add(static_cast<std::int32_t>(cell), static_cast<std::int32_t>(genes[e]),
                  narrow(values[e]));
    }
    expression.cells.push_back(std::to_string(ids[cell]));
    expression.coordinates(static_cast<std::int64_t>(cell), 0) = x[cell];
    expression.coordinates(static_cast<std::int64_t>(cell), 1) = y[cell];
  }
  narrow.check(source.path());
  expression.values =
      rows_from_entries(context, std::ssize(ids), std::ssize(expression.genes), entries);
  expression.found.push_back(concat("values: ", ids.size(), " cells by ", expression.genes.size(),
                                    " genes, ", expression.values.entries(), " not zero"));
  return expression;
}

}  // namespace m2st::data
