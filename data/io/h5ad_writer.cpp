// Encodings as anndata's documentation of its file format lists them ("on-disk format").
#include "data/io/h5ad_writer.h"

#include <hdf5.h>

#include <bit>
#include <cmath>
#include <type_traits>
#include <utility>

#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr ExitCode kCode = ExitCode::kOutput;

template <class T>
Hdf5Id native_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int8_t>) return H5T_NATIVE_INT8;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
}

Hdf5Handle text_type() {
  Hdf5Handle type = hdf5_owned(H5Tcopy(H5T_C_S1), kCode, "HDF5: no text type");
  hdf5_checked(H5Tset_size(type.id(), H5T_VARIABLE), kCode, "HDF5: no text type");
  hdf5_checked(H5Tset_cset(type.id(), H5T_CSET_UTF8), kCode, "HDF5: no text type");
  return type;
}

// As h5py stores NumPy's bool.
Hdf5Handle flag_type() {
  Hdf5Handle type = hdf5_owned(H5Tenum_create(H5T_STD_I8LE), kCode, "HDF5: no type of flags");
  std::int8_t value = 0;
  for (const char* name : {"FALSE", "TRUE"}) {
    hdf5_checked(H5Tenum_insert(type.id(), name, &value), kCode, "HDF5: no type of flags");
    ++value;
  }
  return type;
}

// Empty: a single value.
Hdf5Handle space_of(const std::vector<std::int64_t>& shape) {
  const std::vector<hsize_t> sides(shape.begin(), shape.end());
  return hdf5_owned(shape.empty()
                        ? H5Screate(H5S_SCALAR)
                        : H5Screate_simple(static_cast<int>(sides.size()), sides.data(), nullptr),
                    kCode, "HDF5: no data space");
}

// The time of writing is left out, so that the same results are the same bytes.
Hdf5Handle without_times(hid_t kind) {
  Hdf5Handle properties = hdf5_owned(H5Pcreate(kind), kCode, "HDF5: no creation list");
  hdf5_checked(H5Pset_obj_track_times(properties.id(), false), kCode, "HDF5: no creation list");
  return properties;
}

std::vector<const char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace

H5adWriter::H5adWriter(std::string path, Hdf5Access access)
    : path_(std::move(path)), file_(open_hdf5(path_, access)) {}

bool H5adWriter::exists(const std::string& path) {
  return hdf5_checked(H5Lexists(file_.id(), path.c_str(), H5P_DEFAULT), kCode, path_,
                      ": cannot look for ", path) > 0;
}

void H5adWriter::remove(const std::string& path) {
  if (!exists(path)) return;
  hdf5_checked(H5Ldelete(file_.id(), path.c_str(), H5P_DEFAULT), kCode, path_, ": cannot replace ",
               path);
}

void H5adWriter::encode(const std::string& path, const std::string& encoding,
                        const std::string& version) {
  attribute(path, "encoding-type", encoding);
  attribute(path, "encoding-version", version);
}

void H5adWriter::make_group(const std::string& path) {
  const Hdf5Handle properties = without_times(H5P_GROUP_CREATE);
  hdf5_owned(H5Gcreate2(file_.id(), path.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), kCode,
             path_, ": cannot create ", path);
}

void H5adWriter::group(const std::string& path, const std::string& encoding,
                       const std::string& version) {
  if (path != "/") {
    remove(path);
    make_group(path);
  }
  encode(path, encoding, version);
}

void H5adWriter::need_dictionary(const std::string& path) {
  if (!exists(path)) group(path, "dict", "0.1.0");
}

void H5adWriter::need_group(const std::string& path) {
  if (!exists(path)) make_group(path);
}

void H5adWriter::dataset(const std::string& path, Hdf5Id file_type, Hdf5Id memory_type,
                         const std::vector<std::int64_t>& shape, const void* values) {
  remove(path);
  const Hdf5Handle space = space_of(shape);
  const Hdf5Handle properties = without_times(H5P_DATASET_CREATE);
  const Hdf5Handle made = hdf5_owned(H5Dcreate2(file_.id(), path.c_str(), file_type, space.id(),
                                                H5P_DEFAULT, properties.id(), H5P_DEFAULT),
                                     kCode, path_, ": cannot create ", path);
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  if (count == 0) return;
  hdf5_checked(H5Dwrite(made.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), kCode,
               path_, ": cannot write ", path, "; is the disk full?");
}

template <class T>
void H5adWriter::array(const std::string& path, Span<const T> values,
                       const std::vector<std::int64_t>& shape) {
  dataset(path, native_type<T>(), native_type<T>(), shape, values.data());
  encode(path, "array", "0.2.0");
  checks_[path] = [this, path, values](Hdf5Source& file) {
    using Read = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;
    std::size_t next = 0;
    const std::function<void(std::int64_t, Span<const Read>)> compare =
        [&](std::int64_t, Span<const Read> piece) {
          for (const Read read : piece) {
            const bool in = next < values.size();
            const T wanted = in ? values[next++] : T{};
            const bool same = static_cast<T>(read) == wanted || (wanted != wanted && read != read);
            if (!in || !same) refuse_difference(path);
          }
        };
    file.for_each_piece<Read>(path, "", compare);
    if (next != values.size()) refuse_difference(path);
  };
}

void H5adWriter::texts(const std::string& path, const std::vector<std::string>& values) {
  const Hdf5Handle type = text_type();
  const std::vector<const char*> pointers = pointers_to(values);
  dataset(path, type.id(), type.id(), {static_cast<std::int64_t>(values.size())}, pointers.data());
  encode(path, "string-array", "0.2.0");
  checks_[path] = [this, path, values](Hdf5Source& file) {
    if (file.texts(path) != values) refuse_difference(path);
  };
}

void H5adWriter::text(const std::string& path, const std::string& value) {
  const Hdf5Handle type = text_type();
  const char* pointer = value.c_str();
  dataset(path, type.id(), type.id(), {}, &pointer);
  encode(path, "string", "0.2.0");
  checks_[path] = [this, path, value](Hdf5Source& file) {
    if (file.texts(path) != std::vector<std::string>{value}) refuse_difference(path);
  };
}

template <class T>
void H5adWriter::check_scalar(const std::string& path, T value) {
  checks_[path] = [this, path, value](Hdf5Source& file) {
    const std::vector<T> read = file.numbers<T>(path);
    if (read.size() != 1 || (read[0] != value && value == value)) refuse_difference(path);
  };
}

void H5adWriter::number(const std::string& path, double value) {
  dataset(path, H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, {}, &value);
  encode(path, "numeric-scalar", "0.2.0");
  check_scalar(path, value);
}

void H5adWriter::integer(const std::string& path, std::int64_t value) {
  dataset(path, H5T_NATIVE_INT64, H5T_NATIVE_INT64, {}, &value);
  encode(path, "numeric-scalar", "0.2.0");
  check_scalar(path, value);
}

void H5adWriter::flag(const std::string& path, bool value) {
  const Hdf5Handle type = flag_type();
  const std::int8_t byte = value ? 1 : 0;
  dataset(path, type.id(), type.id(), {}, &byte);
  encode(path, "numeric-scalar", "0.2.0");
  check_scalar(path, std::int64_t{byte});
}

Hdf5Handle H5adWriter::place_attribute(const std::string& path, const std::string& name,
                                       Hdf5Id type, Hdf5Id space) {
  const int found =
      hdf5_checked(H5Aexists_by_name(file_.id(), path.c_str(), name.c_str(), H5P_DEFAULT), kCode,
                   path_, ": cannot look for ", path, "'s attribute ", name);
  if (found > 0) {
    hdf5_checked(H5Adelete_by_name(file_.id(), path.c_str(), name.c_str(), H5P_DEFAULT), kCode,
                 path_, ": cannot replace ", path, "'s attribute ", name);
  }
  return hdf5_owned(H5Acreate_by_name(file_.id(), path.c_str(), name.c_str(), type, space,
                                      H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                    kCode, path_, ": cannot add the attribute ", name, " to ", path);
}

void H5adWriter::attribute(const std::string& path, const std::string& name,
                           const std::string& value) {
  const Hdf5Handle type = text_type();
  const Hdf5Handle space = space_of({});
  const Hdf5Handle made = place_attribute(path, name, type.id(), space.id());
  const char* pointer = value.c_str();
  hdf5_checked(H5Awrite(made.id(), type.id(), &pointer), kCode, path_, ": cannot write ", path,
               "'s attribute ", name);
  checks_[path + "@" + name] = [this, path, name, value](Hdf5Source& file) {
    if (file.object(path).text(name) != value) refuse_difference(path);
  };
}

void H5adWriter::attribute(const std::string& path, const std::string& name,
                           const std::vector<std::string>& values) {
  const Hdf5Handle type = text_type();
  const Hdf5Handle space = space_of({static_cast<std::int64_t>(values.size())});
  const Hdf5Handle made = place_attribute(path, name, type.id(), space.id());
  const std::vector<const char*> pointers = pointers_to(values);
  if (values.empty()) return;
  hdf5_checked(H5Awrite(made.id(), type.id(), pointers.data()), kCode, path_, ": cannot write ",
               path, "'s attribute ", name);
  checks_[path + "@" + name] = [this, path, name, values](Hdf5Source& file) {
    const Hdf5Attribute* found = file.object(path).attribute(name);
    if (found == nullptr || found->texts != values) refuse_difference(path);
  };
}

void H5adWriter::attribute(const std::string& path, const std::string& name,
                           Span<const std::int64_t> values) {
  const Hdf5Handle space = space_of({static_cast<std::int64_t>(values.size())});
  const Hdf5Handle made = place_attribute(path, name, H5T_NATIVE_INT64, space.id());
  hdf5_checked(H5Awrite(made.id(), H5T_NATIVE_INT64, values.data()), kCode, path_,
               ": cannot write ", path, "'s attribute ", name);
}

void H5adWriter::flag_attribute(const std::string& path, const std::string& name, bool value) {
  const Hdf5Handle type = flag_type();
  const Hdf5Handle space = space_of({});
  const Hdf5Handle made = place_attribute(path, name, type.id(), space.id());
  const std::int8_t byte = value ? 1 : 0;
  hdf5_checked(H5Awrite(made.id(), type.id(), &byte), kCode, path_, ": cannot write ", path,
               "'s attribute ", name);
}

void H5adWriter::reference(const std::string& path, const std::string& name,
                           const std::string& target) {
  hobj_ref_t pointer{};
  hdf5_checked(H5Rcreate(&pointer, file_.id(), target.c_str(), H5R_OBJECT, -1), kCode, path_,
               ": cannot refer to ", target);
  const Hdf5Handle space = space_of({});
  const Hdf5Handle made = place_attribute(path, name, H5T_STD_REF_OBJ, space.id());
  hdf5_checked(H5Awrite(made.id(), H5T_STD_REF_OBJ, &pointer), kCode, path_, ": cannot write ",
               path, "'s attribute ", name);
  checks_[path + "@" + name] = [this, path, name, target](Hdf5Source& file) {
    if (file.object(path).text(name) != target) refuse_difference(path);
  };
}

void H5adWriter::refuse_difference(const std::string& path) const {
  fail(kCode, path_, ": ", path, " reads back differently from what was written; is the disk ",
       "full or failing? Nothing was left behind");
}

void H5adWriter::verify() {
  hdf5_checked(H5Fflush(file_.id(), H5F_SCOPE_GLOBAL), kCode, path_, ": cannot be written out");
  if (!file_.close()) fail(kCode, path_, ": cannot be closed (HDF5: ", hdf5_reason(), ")");
  try {
    Hdf5Source file(path_);
    for (const auto& [what, check] : checks_) check(file);
  } catch (const Error& error) {
    if (error.code() == kCode) throw;
    fail(kCode, path_, ": cannot be read back (", error.what(), "); is the disk full?");
  }
  checks_.clear();
}

template void H5adWriter::array(const std::string&, Span<const float>,
                                const std::vector<std::int64_t>&);
template void H5adWriter::array(const std::string&, Span<const double>,
                                const std::vector<std::int64_t>&);
template void H5adWriter::array(const std::string&, Span<const std::int8_t>,
                                const std::vector<std::int64_t>&);
template void H5adWriter::array(const std::string&, Span<const std::int32_t>,
                                const std::vector<std::int64_t>&);
template void H5adWriter::array(const std::string&, Span<const std::int64_t>,
                                const std::vector<std::int64_t>&);

}  // namespace m2st::data
