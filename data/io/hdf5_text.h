// Strings of HDF5, of fixed and of variable length, as std::string.
#pragma once

#include <string>
#include <vector>

#include "data/io/hdf5_handle.h"

namespace m2st::data {

class Hdf5TextType {
 public:
  // `stored`: the type in the file, of class H5T_STRING; exit code 4 when it is not.
  explicit Hdf5TextType(Hdf5Id stored);

  const Hdf5Handle& memory() const { return memory_; }
  std::size_t bytes() const { return bytes_; }  // of one element in a buffer to read into
  // The texts in a buffer that was read, giving back what the library allocated for them. Padding
  // is taken off.
  std::vector<std::string> take(char* buffer, std::size_t count) const;

 private:
  Hdf5Handle memory_;
  bool variable_ = false;
  bool blank_padded_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace m2st::data
