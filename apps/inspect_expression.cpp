#include "apps/inspect_expression.h"

#include <algorithm>
#include <map>
#include <vector>

#include "data/io/delimited.h"

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNamedFew = 3;
constexpr std::size_t kListedLabels = 100;  // more are counted, not listed

Json few(const std::vector<std::string>& names) {
  return std::vector<std::string>(
      names.begin(), names.begin() + std::min<std::ptrdiff_t>(kNamedFew, std::ssize(names)));
}

Json values_json(const data::Expression& expression) {
  const data::SparseMatrix& values = expression.values;
  Json json = {{"not_zero", values.entries()}};
  const double all = static_cast<double>(values.rows) * static_cast<double>(values.columns);
  if (all > 0) json["share_not_zero"] = static_cast<double>(values.entries()) / all;
  json["counts"] = expression.counts;
  json["logarithms"] = expression.logged;
  if (values.values.empty()) return json;
  const auto [least, greatest] = std::minmax_element(values.values.begin(), values.values.end());
  json["minimum"] = values.entries() < all ? std::min(*least, 0.0F) : *least;
  json["maximum"] = values.entries() < all ? std::max(*greatest, 0.0F) : *greatest;
  return json;
}

Json positions_json(const Matrix<double>& positions) {
  Json json = Json::array();
  for (std::int64_t axis = 0; axis < positions.cols(); ++axis) {
    double low = positions(0, axis), high = low;
    for (std::int64_t i = 0; i < positions.rows(); ++i) {
      low = std::min(low, positions(i, axis));
      high = std::max(high, positions(i, axis));
    }
    json.push_back({{"minimum", low}, {"maximum", high}});
  }
  return json;
}

Json sizes_json(const std::vector<std::string>& labels) {
  std::map<std::string, std::int64_t> sizes;
  std::int64_t missing = 0;
  for (const std::string& label : labels) {
    if (data::is_missing(label)) {
      ++missing;
    } else {
      ++sizes[label];
    }
  }
  Json json = {{"different", sizes.size()}, {"missing", missing}};
  if (sizes.size() <= kListedLabels) json["sizes"] = sizes;
  return json;
}

}  // namespace

Json expression_json(const data::Expression& expression) {
  Json json = {{"format", expression.format}, {"cells", expression.cells.size()}};
  json["first_cells"] = few(expression.cells);
  if (expression.values.rows > 0) {
    json["genes"] = expression.genes.size();
    json["first_genes"] = few(expression.genes);
    json["values"] = values_json(expression);
  }
  if (!expression.features.empty()) json["features"] = expression.features.cols();
  if (!expression.coordinates.empty()) json["positions"] = positions_json(expression.coordinates);
  if (!expression.sections.empty()) json["sections"] = sizes_json(expression.sections);
  if (!expression.labels.empty()) json["labels"] = sizes_json(expression.labels);
  if (!expression.graph.offsets.empty()) json["edges"] = expression.graph.neighbours.size();
  json["found"] = expression.found;
  json["skipped"] = expression.skipped;
  json["warnings"] = expression.warnings;
  json["files"] = expression.files;
  json["xxh3_128"] = expression.hash;
  return json;
}

}  // namespace m2st::apps
