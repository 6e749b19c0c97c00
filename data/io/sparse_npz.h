// Matrices of cells × genes from NumPy's files: SciPy's sparse .npz, and dense .npy.
#pragma once

#include <string>
#include <string_view>

#include "data/io/expression.h"
#include "data/io/zip_archive.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// What scipy.sparse.save_npz wrote as the matrix's format: "csr", "csc", "coo", ...; "" when the
// archive does not say.
std::string npz_format(const ZipArchive& archive);

// CSR, CSC or COO. Exit codes: 3, 4.
Expression read_sparse_npz(CpuContext& context, const std::string& path);

// Whole numbers >= 0 are values (counts); anything else is taken for features.
Expression read_npy_matrix(CpuContext& context, const std::string& path);

}  // namespace m2st::data
