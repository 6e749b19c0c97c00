// Elements of AnnData in an HDF5 file, each with the encoding that anndata 0.8 and newer look for.
// Whatever lies at a path is replaced. Every call of the library is checked (exit code 8), and
// because a full disk may still go unnoticed, all that was written is read back in the end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/io/hdf5_handle.h"
#include "data/io/hdf5_source.h"
#include "engine/view.h"

namespace m2st::data {

class H5adWriter {
 public:
  // An existing file is edited, or a new one made.
  H5adWriter(std::string path, Hdf5Access access);

  // A group for what follows; the groups above it exist.
  void group(const std::string& path, const std::string& encoding, const std::string& version);
  // The same unless something is there already; the second has no encoding.
  void need_dictionary(const std::string& path);
  void need_group(const std::string& path);

  // T: float, double, int8, int32, int64. `values` fill `shape` in C order and live until verify.
  template <class T>
  void array(const std::string& path, Span<const T> values, const std::vector<std::int64_t>& shape);
  void texts(const std::string& path, const std::vector<std::string>& values);
  void text(const std::string& path, const std::string& value);
  void number(const std::string& path, double value);
  void integer(const std::string& path, std::int64_t value);
  void flag(const std::string& path, bool value);

  void attribute(const std::string& path, const std::string& name, const std::string& value);
  void attribute(const std::string& path, const std::string& name,
                 const std::vector<std::string>& values);
  void attribute(const std::string& path, const std::string& name, Span<const std::int64_t> values);
  // Of another name, because a literal text would rather be a bool than a string.
  void flag_attribute(const std::string& path, const std::string& name, bool value);
  // A reference to the object at `target`.
  void reference(const std::string& path, const std::string& name, const std::string& target);

  // Closes the file, opens it again and compares all that was written.
  void verify();

 private:
  bool exists(const std::string& path);
  void remove(const std::string& path);
  void make_group(const std::string& path);
  Hdf5Handle place_attribute(const std::string& path, const std::string& name, Hdf5Id type,
                             Hdf5Id space);
  void dataset(const std::string& path, Hdf5Id file_type, Hdf5Id memory_type,
               const std::vector<std::int64_t>& shape, const void* values);
  void encode(const std::string& path, const std::string& encoding, const std::string& version);
  template <class T>
  void check_scalar(const std::string& path, T value);
  [[noreturn]] void refuse_difference(const std::string& path) const;

  std::string path_;
  Hdf5Handle file_;
  // By what they compare: of something written twice the second counts.
  std::map<std::string, std::function<void(Hdf5Source&)>> checks_;
};

}  // namespace m2st::data
