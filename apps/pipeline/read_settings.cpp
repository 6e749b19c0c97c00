#include "apps/pipeline/read_settings.h"

namespace m2st::apps {

std::vector<Setting> read_settings(data::ReadOptions& options) {
  const std::string group = "Reading";
  const auto name = [&](const std::string& flags, const std::string& help, std::string& target) {
    return Setting{flags, "NAME", help, group, &target};
  };
  return {
      name("--layer", ".h5ad: values from layers/NAME in place of X", options.layer),
      {"--use-raw", "", ".h5ad: values and genes from raw", group, &options.use_raw},
      name("--use-rep", ".h5ad: features from obsm/NAME in place of values",
           options.use_representation),
      name("--spatial-key",
           ".h5ad: positions from obsm/NAME; automatic: spatial, or x and y of obs",
           options.spatial_key),
      name("--library-key", "column of the cells' sections; no edges go between sections",
           options.library_key),
      name("--truth-key", "column of known domains, for scoring only", options.truth_key),
      name("--genome", "10x .h5 with several genomes: which", options.genome),
      {"--bin-size",
       "N",
       "GEM, GEF: side of a square, in places; Visium HD: in µm",
       group,
       &options.bin_size,
       {1}},
      name("--id-column", "tables: the cells' names; several joined by commas", options.id_column),
      name("--x-column", "tables and obs: positions along x", options.x_column),
      name("--y-column", "tables and obs: positions along y", options.y_column),
      {"--make-unique", "", "rename cells whose names repeat, in place of refusing them", group,
       &options.make_unique},
  };
}

}  // namespace m2st::apps
