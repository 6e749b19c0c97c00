#include "data/io/h5ad_base.h"

#include <limits>

#include "engine/check.h"

namespace m2st::data {

namespace {

void write_frame(H5adWriter& writer, const std::string& path, const std::vector<std::string>& index,
                 const std::vector<std::string>& columns) {
  writer.group(path, "dataframe", "0.2.0");
  writer.attribute(path, "_index", "_index");
  writer.attribute(path, "column-order", columns);
  writer.texts(path + "/_index", index);
}

}  // namespace

H5adBase::H5adBase(H5adWriter& writer, const Expression& expression) {
  writer.group("/", "anndata", "0.1.0");
  for (const char* name : {"layers", "obsm", "obsp", "uns", "varm", "varp"}) {
    writer.need_dictionary(std::string("/") + name);
  }
  write_frames(writer, expression);
  write_values(writer, expression);
  write_places(writer, expression);
}

void H5adBase::write_frames(H5adWriter& writer, const Expression& expression) {
  if (!expression.sections.empty()) obs_columns_.push_back("section");
  if (!expression.labels.empty()) obs_columns_.push_back("label");
  write_frame(writer, "/obs", expression.cells, obs_columns_);
  if (!expression.sections.empty()) writer.texts("/obs/section", expression.sections);
  if (!expression.labels.empty()) writer.texts("/obs/label", expression.labels);
  std::vector<std::string> var_columns;
  if (!expression.gene_ids.empty()) var_columns.push_back("gene_ids");
  write_frame(writer, "/var", expression.genes, var_columns);
  if (!expression.gene_ids.empty()) writer.texts("/var/gene_ids", expression.gene_ids);
}

void H5adBase::write_values(H5adWriter& writer, const Expression& expression) {
  const SparseMatrix& values = expression.values;
  if (values.rows == 0) return;
  const std::vector<std::int64_t> shape = {values.rows, values.columns};
  writer.group("/X", "csr_matrix", "0.1.0");
  writer.attribute("/X", "shape", Span<const std::int64_t>(shape));
  writer.array<float>("/X/data", values.values, {values.entries()});
  writer.array<std::int32_t>("/X/indices", values.indices, {values.entries()});
  if (values.entries() <= std::numeric_limits<std::int32_t>::max()) {
    // SciPy wants both index arrays of one type, and converts where they are not.
    offsets_.assign(values.offsets.begin(), values.offsets.end());
    writer.array<std::int32_t>("/X/indptr", offsets_, {values.rows + 1});
  } else {
    writer.array<std::int64_t>("/X/indptr", values.offsets, {values.rows + 1});
  }
}

void H5adBase::write_places(H5adWriter& writer, const Expression& expression) {
  const Matrix<double>& places = expression.coordinates;
  if (!places.empty()) {
    writer.array<double>("/obsm/spatial", places.span(), {places.rows(), places.cols()});
  }
  const Matrix<float>& features = expression.features;
  if (!features.empty()) {
    writer.array<float>("/obsm/X_features", features.span(), {features.rows(), features.cols()});
  }
}

}  // namespace m2st::data
