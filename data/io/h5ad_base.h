// What was read, as the .h5ad that anndata would have written: the ground for results of inputs
// that are no .h5ad themselves.
#pragma once

#include <string>
#include <vector>

#include "data/io/expression.h"
#include "data/io/h5ad_writer.h"

namespace m2st::data {

class H5adBase {
 public:
  // Writes it; both must live until the writer has verified.
  H5adBase(H5adWriter& writer, const Expression& expression);

  const std::vector<std::string>& obs_columns() const { return obs_columns_; }

 private:
  void write_values(H5adWriter& writer, const Expression& expression);
  void write_frames(H5adWriter& writer, const Expression& expression);
  void write_places(H5adWriter& writer, const Expression& expression);

  std::vector<std::string> obs_columns_;
  std::vector<std::int32_t> offsets_;
};

}  // namespace m2st::data
