// Small HDF5 files for tests, written object by object: what anndata, 10x and others write, and
// what they should not. Every failure of the library is a failure of the test.
#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "data/io/hdf5_handle.h"

namespace m2st::test {

enum class Packing { kNone, kGzip, kLzf };

// How a dataset is stored; the defaults are h5py's.
struct Stored {
  data::Hdf5Id type = -1;  // as a type of the library, else the values' own
  Packing packing = Packing::kNone;
  std::vector<hsize_t> chunk = {};  // empty: contiguous, or all in one when packed
};

class Hdf5File {
 public:
  explicit Hdf5File(const std::string& path)
      : file_(data::open_hdf5(path, data::Hdf5Access::kCreate)) {}

  data::Hdf5Id id() const { return file_.id(); }

  void group(const std::string& path) {
    const data::Hdf5Handle made(
        H5Gcreate2(id(), path.c_str(), links().id(), H5P_DEFAULT, H5P_DEFAULT));
    EXPECT_TRUE(made.valid()) << path;
  }

  // In C order; an empty shape makes a scalar.
  template <class T>
  void numbers(const std::string& path, const std::vector<hsize_t>& shape,
               const std::vector<T>& values, Stored stored = {}) {
    const data::Hdf5Handle space(make_space(shape));
    const data::Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE));
    if (stored.packing != Packing::kNone || !stored.chunk.empty()) {
      std::vector<hsize_t> chunk = stored.chunk.empty() ? shape : stored.chunk;
      for (hsize_t& side : chunk) side = side == 0 ? 1 : side;
      EXPECT_GE(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()), 0);
    }
    if (stored.packing == Packing::kGzip) H5Pset_deflate(properties.id(), 4);
    if (stored.packing == Packing::kLzf) H5Pset_filter(properties.id(), 32000, 0, 0, nullptr);
    const data::Hdf5Handle made(H5Dcreate2(id(), path.c_str(),
                                           stored.type >= 0 ? stored.type : native<T>(), space.id(),
                                           links().id(), properties.id(), H5P_DEFAULT));
    EXPECT_TRUE(made.valid()) << path;
    if (values.empty()) return;
    EXPECT_GE(H5Dwrite(made.id(), native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0)
        << path;
  }

  // Of variable length, or of `bytes` each, padded with zeros.
  void texts(const std::string& path, const std::vector<std::string>& values,
             std::size_t bytes = 0) {
    write_texts(path, {values.size()}, values, bytes);
  }
  void text(const std::string& path, const std::string& value) {
    write_texts(path, {}, {value}, 0);
  }

  // bool as h5py writes it: an enumeration of int8.
  void booleans(const std::string& path, const std::vector<std::int8_t>& values) {
    const data::Hdf5Handle type(H5Tenum_create(H5T_NATIVE_INT8));
    for (const auto& [name, value] : {std::pair{"FALSE", 0}, std::pair{"TRUE", 1}}) {
      const auto code = static_cast<std::int8_t>(value);
      H5Tenum_insert(type.id(), name, &code);
    }
    const data::Hdf5Handle space(make_space({values.size()}));
    const data::Hdf5Handle made(H5Dcreate2(id(), path.c_str(), type.id(), space.id(), links().id(),
                                           H5P_DEFAULT, H5P_DEFAULT));
    EXPECT_GE(H5Dwrite(made.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  }

  void attribute(const std::string& object, const std::string& name, const std::string& value) {
    attribute_texts(object, name, {}, {value});
  }
  void attribute(const std::string& object, const std::string& name,
                 const std::vector<std::string>& values) {
    attribute_texts(object, name, {values.size()}, values);
  }
  template <class T>
  void attribute_numbers(const std::string& object, const std::string& name,
                         const std::vector<T>& values) {
    const data::Hdf5Handle space(make_space({values.size()}));
    const T nothing{};  // the library wants an address even for no values
    write_attribute(object, name, native<T>(), space.id(),
                    values.empty() ? &nothing : values.data());
  }
  // An object reference, as categorical columns of 0.7 carry.
  void attribute_reference(const std::string& object, const std::string& name,
                           const std::string& target) {
    hobj_ref_t reference = 0;
    EXPECT_GE(H5Rcreate(&reference, id(), target.c_str(), H5R_OBJECT, -1), 0) << target;
    const data::Hdf5Handle space(H5Screate(H5S_SCALAR));
    write_attribute(object, name, H5T_STD_REF_OBJ, space.id(), &reference);
  }

  template <class T>
  static data::Hdf5Id native() {
    if constexpr (std::is_same_v<T, std::int8_t>) return H5T_NATIVE_INT8;
    if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
    if constexpr (std::is_same_v<T, std::int16_t>) return H5T_NATIVE_INT16;
    if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
    if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
    if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
    if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
    if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
    if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
    if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  }

 private:
  // Groups on the way are made as they are needed.
  static data::Hdf5Handle links() {
    data::Hdf5Handle properties(H5Pcreate(H5P_LINK_CREATE));
    H5Pset_create_intermediate_group(properties.id(), 1);
    return properties;
  }
  static data::Hdf5Id make_space(const std::vector<hsize_t>& shape) {
    if (shape.empty()) return H5Screate(H5S_SCALAR);
    return H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  }
  static data::Hdf5Handle text_type(std::size_t bytes) {
    data::Hdf5Handle type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), bytes == 0 ? H5T_VARIABLE : bytes);
    H5Tset_cset(type.id(), bytes == 0 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
    if (bytes > 0) H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
    return type;
  }
  void write_texts(const std::string& path, const std::vector<hsize_t>& shape,
                   const std::vector<std::string>& values, std::size_t bytes) {
    const data::Hdf5Handle type = text_type(bytes);
    const data::Hdf5Handle space(make_space(shape));
    const data::Hdf5Handle made(H5Dcreate2(id(), path.c_str(), type.id(), space.id(), links().id(),
                                           H5P_DEFAULT, H5P_DEFAULT));
    EXPECT_TRUE(made.valid()) << path;
    std::vector<const char*> pointers;
    std::string fixed;
    for (std::string value : values) {
      value.resize(bytes == 0 ? value.size() : bytes, '\0');
      fixed += value;
    }
    for (const std::string& value : values) pointers.push_back(value.c_str());
    if (values.empty()) return;
    const void* from = bytes == 0 ? static_cast<const void*>(pointers.data()) : fixed.data();
    EXPECT_GE(H5Dwrite(made.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, from), 0) << path;
  }
  void attribute_texts(const std::string& object, const std::string& name,
                       const std::vector<hsize_t>& shape, const std::vector<std::string>& values) {
    const data::Hdf5Handle type = text_type(0);
    const data::Hdf5Handle space(make_space(shape));
    std::vector<const char*> pointers;
    for (const std::string& value : values) pointers.push_back(value.c_str());
    write_attribute(object, name, type.id(), space.id(), pointers.data());
  }
  void write_attribute(const std::string& object, const std::string& name, data::Hdf5Id type,
                       data::Hdf5Id space, const void* values) {
    const data::Hdf5Handle made(H5Acreate_by_name(id(), object.c_str(), name.c_str(), type, space,
                                                  H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    EXPECT_TRUE(made.valid()) << object << "@" << name;
    EXPECT_GE(H5Awrite(made.id(), type, values), 0) << object << "@" << name;
  }

  data::Hdf5Handle file_;
};

}  // namespace m2st::test
