// What a .npy file's `descr` means, and reading a header from a file that is already open.
#pragma once

#include <string>
#include <string_view>

#include "data/io/input_file.h"
#include "data/io/npy.h"

namespace m2st::data {

inline constexpr std::string_view kNpyMagic("\x93NUMPY", 6);

struct NpyType {
  char kind = 'f';  // b, i, u, f
  int bytes = 4;
  bool swapped = false;  // big-endian
};

// Exit code 4 with the way to save it again when it is not a plain number type.
NpyType parse_npy_type(const std::string& path, const std::string& type);

NpyHeader read_npy_header(const InputFile& file);

}  // namespace m2st::data
