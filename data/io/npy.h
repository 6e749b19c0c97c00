// NumPy's .npy, versions 1 to 3: C and Fortran order, either byte order, bool, integers and floats.
// Object arrays and structured types are refused. The header is untrusted: every claim is checked
// against the file's size before memory is taken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/io/input_file.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::data {

struct NpyHeader {
  std::string type;  // NumPy's descr: "<f4", ">i8", "|b1", ...
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::int64_t data_offset = 0;
};

// Errors: 3 missing or unreadable, 4 not .npy, truncated, or of a type that is not a number.
NpyHeader read_npy_header(const std::string& path);

// Any 1-D or 2-D numeric array as (rows, cols) in C order, converted to T (float, double, int32,
// int64); a 1-D array is one column. T = int: exit code 4 when a value does not fit.
template <class T>
Matrix<T> read_npy(CpuContext& context, const std::string& path);
template <class T>
Matrix<T> read_npy(CpuContext& context, const InputFile& file);

// The bytes of a version 1.0 file holding x as 2-D (or 1-D when one_dimensional).
template <class T>
std::string npy_bytes(MatrixView<const T> x, bool one_dimensional = false);

}  // namespace m2st::data
