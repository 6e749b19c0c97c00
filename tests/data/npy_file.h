// .npy files put together byte by byte, so that tests can write what NumPy would and what it would
// not.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace m2st::test {

// A file of the given version around any header text and data.
inline std::string npy_with_header(int version, std::string header, const std::string& data) {
  header += '\n';
  std::string bytes("\x93NUMPY", 6);
  bytes += static_cast<char>(version);
  bytes += '\0';
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  return bytes + header + data;
}

inline std::string npy_file(const std::string& type, bool fortran, const std::string& shape,
                            const std::string& data, int version = 1) {
  return npy_with_header(version,
                         "{'descr': '" + type + "', 'fortran_order': " +
                             (fortran ? "True" : "False") + ", 'shape': " + shape + ", }",
                         data);
}

// Values as they lie in memory, or byte-swapped.
template <class T>
std::string raw_bytes(const std::vector<T>& values, bool swapped = false) {
  std::string bytes;
  for (const T value : values) {
    char item[sizeof(T)];
    std::memcpy(item, &value, sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes += item[swapped ? sizeof(T) - 1 - i : i];
  }
  return bytes;
}

}  // namespace m2st::test
