// .h5ad files of every era give the same expression, written here as anndata wrote them then; what
// is wrong with one is said with its exit code.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/io/read_expression.h"
#include "tests/support/hdf5_file.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using Row = std::vector<std::pair<int, float>>;

Row row_of(const SparseMatrix& matrix, std::int64_t row) {
  Row entries;
  for (std::int64_t e = matrix.offsets[row]; e < matrix.offsets[row + 1]; ++e) {
    entries.emplace_back(matrix.indices[e], matrix.values[e]);
  }
  return entries;
}

TEST(H5adTest, ReadsThePublishedStarmapAsTheSharedCounts) {
  M2ST_NEEDS_SHARED("data/starmap_counts");
  CpuContext context(2);
  const std::string folder = test::shared_path("data/starmap_counts");

  const Expression h5ad =
      read_expression(context, folder + "/starmap_BY3_1k.h5ad", {.truth_key = "cluster_name"});
  const Expression npz =
      read_expression(context, folder + "/X.npz", {.coordinates = folder + "/coords.npy"});

  EXPECT_EQ(h5ad.format, "AnnData .h5ad (0.7)");
  ASSERT_EQ(h5ad.cells.size(), 1549u);
  ASSERT_EQ(h5ad.genes.size(), 1020u);
  EXPECT_TRUE(h5ad.counts);
  ASSERT_EQ(npz.values.rows, 1207);
  // The shared cells are a part of the published ones: found by where they lie.
  // The shared positions were rounded once, so they are compared in hundredths.
  std::map<std::pair<long, long>, std::int64_t> rows;
  const auto place = [](const Matrix<double>& positions, std::int64_t row) {
    return std::pair{std::lround(100 * positions(row, 0)), std::lround(100 * positions(row, 1))};
  };
  for (std::int64_t i = 0; i < h5ad.coordinates.rows(); ++i) {
    rows[place(h5ad.coordinates, i)] = i;
  }
  for (std::int64_t i = 0; i < npz.values.rows; ++i) {
    const auto found = rows.find(place(npz.coordinates, i));
    ASSERT_NE(found, rows.end()) << i;
    ASSERT_EQ(row_of(npz.values, i), row_of(h5ad.values, found->second)) << i;
  }
}

}  // namespace
}  // namespace m2st::data
