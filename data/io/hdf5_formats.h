// Readers of what comes as one HDF5 file. Each fills an Expression but for what is common to all
// formats (read_expression.cpp): unique names, the hash, whether values are counts.
#pragma once

#include "data/io/expression.h"
#include "data/io/hdf5_source.h"
#include "data/io/read_expression.h"
#include "engine/cpu_context.h"

namespace m2st::data {

enum class Hdf5Format { kH5ad, kTenx3, kTenx2, kGef, kCellGef };

// By the names of what the file holds; exit code 4, saying what it holds, when it is none of these.
Hdf5Format hdf5_format(Hdf5Source& source);

Expression read_h5ad(CpuContext& context, Hdf5Source& source, const ReadOptions& options);
// Genes only ("Gene Expression"); nothing about where the cells lie.
Expression read_tenx_h5(CpuContext& context, Hdf5Source& source, const ReadOptions& options);
Expression read_gef(CpuContext& context, Hdf5Source& source, const ReadOptions& options);
Expression read_cell_gef(CpuContext& context, Hdf5Source& source);

}  // namespace m2st::data
