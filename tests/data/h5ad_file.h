// .h5ad files of four cells and three genes, in the form anndata gave them over the years. Every
// part can be left out or written otherwise by the test.
#pragma once

#include <string>
#include <vector>

#include "tests/support/hdf5_file.h"

namespace m2st::test {

// Cells × genes; every file below holds these values.
inline const std::vector<std::vector<float>> kCounts = {{1, 0, 2}, {0, 0, 0}, {3, 4, 0}, {0, 5, 6}};
inline const std::vector<std::string> kCells = {"AAA-1", "CCC-1", "GGG-1", "TTT-1"};
inline const std::vector<std::string> kGenes = {"Actb", "Gapdh", "Tp53"};

inline std::vector<float> dense_counts() {
  std::vector<float> values;
  for (const auto& row : kCounts) values.insert(values.end(), row.begin(), row.end());
  return values;
}

// 0.8 to 0.13: encodings named by attributes.
class H5adFile : public Hdf5File {
 public:
  explicit H5adFile(const std::string& path) : Hdf5File(path) {
    attribute("/", "encoding-type", "anndata");
    attribute("/", "encoding-version", "0.1.0");
  }

  void encoded(const std::string& path, const std::string& type, const std::string& version) {
    attribute(path, "encoding-type", type);
    attribute(path, "encoding-version", version);
  }
  // A data frame with its names; columns are added to it as children.
  void frame(const std::string& path, const std::vector<std::string>& names) {
    texts(path + "/_index", names);
    encoded(path, "dataframe", "0.2.0");
    attribute(path, "_index", "_index");
  }
  void frames() {
    frame("/obs", kCells);
    frame("/var", kGenes);
  }
  void positions() { numbers<double>("/obsm/spatial", {4, 2}, {0, 10, 1, 11, 2, 12, 3, 13}); }
  // csr_matrix of the counts; T is the values' type, I the indices'.
  template <class T = float, class I = std::int32_t>
  void rows(const std::string& path, Stored stored = {}) {
    group(path);
    numbers<T>(path + "/data", {6}, {1, 2, 3, 4, 5, 6}, stored);
    numbers<I>(path + "/indices", {6}, {0, 2, 0, 1, 1, 2}, stored);
    numbers<I>(path + "/indptr", {5}, {0, 2, 2, 4, 6});
    shaped(path, "csr_matrix");
  }
  void columns(const std::string& path) {
    group(path);
    numbers<float>(path + "/data", {6}, {1, 3, 4, 5, 2, 6});
    numbers<std::int32_t>(path + "/indices", {6}, {0, 2, 2, 3, 0, 3});
    numbers<std::int32_t>(path + "/indptr", {4}, {0, 2, 4, 6});
    shaped(path, "csc_matrix");
  }
  void shaped(const std::string& path, const std::string& type,
              const std::vector<std::int64_t>& shape = {4, 3}) {
    encoded(path, type, "0.1.0");
    attribute_numbers<std::int64_t>(path, "shape", shape);
  }
  void categorical(const std::string& path, const std::vector<std::int8_t>& codes,
                   const std::vector<std::string>& categories) {
    numbers<std::int8_t>(path + "/codes", {codes.size()}, codes);
    texts(path + "/categories", categories);
    encoded(path, "categorical", "0.2.0");
  }
};

}  // namespace m2st::test
