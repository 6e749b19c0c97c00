// Matrices of cells × genes from HDF5: dense, compressed by cell or by gene, of any number type.
// Nothing in the file is believed: every offset and index is checked, the place named.
#pragma once

#include <cstdint>
#include <string>

#include "data/io/hdf5_source.h"
#include "data/prep/sparse_matrix.h"
#include "engine/array.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// Three datasets: values, indices and offsets of rows (by_row) or columns.
struct CompressedDatasets {
  std::string values;
  std::string indices;
  std::string offsets;
  bool by_row = true;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

SparseMatrix read_compressed(CpuContext& context, Hdf5Source& source,
                             const CompressedDatasets& datasets);

// anndata's forms: a dataset of two dimensions, or a group with data, indices and indptr.
// `description` gets a few words on the form ("csr_matrix of float32"). Exit code 4 when the shape
// is not rows × columns.
SparseMatrix read_matrix(CpuContext& context, Hdf5Source& source, const std::string& path,
                         std::int64_t rows, std::int64_t columns, std::string& description);

// A dataset of one or two dimensions, dense, as (rows, columns).
Matrix<double> read_dense(CpuContext& context, Hdf5Source& source, const std::string& path,
                          const std::string& member);

// "float32", "int64", "bool", ... of a dataset.
std::string type_name(const Hdf5Object& object);

}  // namespace m2st::data
