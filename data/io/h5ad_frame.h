// A data frame of an .h5ad file: obs or var, in every encoding since 0.5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/io/hdf5_source.h"

namespace m2st::data {

// 0.8 and newer: a group, one child a column. 0.7: likewise, categories referenced. Before: one
// dataset of records, the index first, categories in uns/<column>_categories.
class H5adFrame {
 public:
  // Exit code 4 when there is no frame at `path`.
  H5adFrame(Hdf5Source& source, const std::string& path);

  std::int64_t rows() const { return rows_; }
  const std::vector<std::string>& columns() const { return columns_; }  // without the index
  bool has(const std::string& column) const;
  std::vector<std::string> index();
  // Missing values are ""; whole numbers without a point. Exit code 4 when there is no such column
  // (those there are get named), it is of no kind that can be read, or of another length.
  std::vector<std::string> texts(const std::string& column);
  // Missing values are NaN. Exit code 4 also when it holds no numbers.
  std::vector<double> numbers(const std::string& column);
  bool is_numeric(const std::string& column);

 private:
  void find_columns();
  // `depth`: categories of categories can only be damage, perhaps without end.
  std::vector<std::string> read_texts(const std::string& path, int depth);
  std::vector<std::string> read_group(const std::string& path, int depth);
  std::vector<std::string> record_texts(const std::string& column);
  std::vector<std::string> decoded(const std::string& codes, const std::string& member,
                                   const std::string& categories, int depth);
  void require(const std::string& column) const;
  void require_rows(const std::string& column, std::size_t found) const;

  Hdf5Source& source_;
  std::string path_;
  std::string index_;
  std::int64_t rows_ = 0;
  bool records_ = false;
  std::vector<std::string> columns_;
};

}  // namespace m2st::data
