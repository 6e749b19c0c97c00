#include "data/io/hdf5_objects.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "data/io/hdf5_describe.h"
#include "data/io/hdf5_text.h"

namespace m2st::data {

namespace {

// Chunks that one band of rows touches are kept unpacked up to this: a dataset that is one large
// chunk is unpacked once, not once a piece.
constexpr std::size_t kLargestCache = std::size_t{1} << 30;
constexpr std::size_t kSmallestCache = std::size_t{1} << 20;  // the library's own default
constexpr std::size_t kCacheSlots = 100003;                   // a prime, as the library asks for

std::vector<hsize_t> sides_of(Hdf5Id space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> sides(static_cast<std::size_t>(std::max(rank, 0)));
  if (rank > 0) H5Sget_simple_extent_dims(space, sides.data(), nullptr);
  return sides;
}

std::size_t bytes_of_a_band(Hdf5Id dataset, const std::vector<hsize_t>& sides) {
  const Hdf5Handle properties(H5Dget_create_plist(dataset));
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  if (H5Pget_layout(properties.id()) != H5D_CHUNKED ||
      H5Pget_chunk(properties.id(), H5S_MAX_RANK, chunk.data()) != static_cast<int>(sides.size())) {
    return 0;
  }
  const Hdf5Handle type(H5Dget_type(dataset));
  double bytes = static_cast<double>(H5Tget_size(type.id())) * static_cast<double>(chunk[0]);
  for (std::size_t i = 1; i < sides.size(); ++i) {
    bytes *= static_cast<double>((sides[i] / chunk[i] + 1) * chunk[i]);
  }
  return static_cast<std::size_t>(std::min(bytes, static_cast<double>(kLargestCache)));
}

// The field as a memory type that leaves the others out, or the element type itself.
Hdf5Handle in_member(Hdf5Handle element, const std::string& member) {
  if (member.empty()) return element;
  Hdf5Handle compound = hdf5_owned(H5Tcreate(H5T_COMPOUND, H5Tget_size(element.id())),
                                   ExitCode::kInputInvalid, member, ": no memory type");
  hdf5_checked(H5Tinsert(compound.id(), member.c_str(), 0, element.id()), ExitCode::kInputInvalid,
               member, ": no such field");
  return compound;
}

// The type of the elements, or of the field's, in the file.
Hdf5Handle file_type(Hdf5Id dataset, const std::string& member) {
  Hdf5Handle type = hdf5_owned(H5Dget_type(dataset), ExitCode::kInputInvalid, "type unreadable");
  if (member.empty()) return type;
  const int index = hdf5_checked(H5Tget_member_index(type.id(), member.c_str()),
                                 ExitCode::kInputInvalid, "has no field '", member, "'");
  return hdf5_owned(H5Tget_member_type(type.id(), static_cast<unsigned>(index)),
                    ExitCode::kInputInvalid, "field '", member, "' has no type");
}

// A number, or as many as the field holds.
Hdf5Handle number_type(Hdf5Id native, Hdf5Id stored, std::int64_t& width) {
  width = 1;
  if (H5Tget_class(stored) != H5T_ARRAY) return Hdf5Handle(H5Tcopy(native));
  std::array<hsize_t, H5S_MAX_RANK> sides{};
  const int rank = H5Tget_array_ndims(stored);
  hdf5_checked(H5Tget_array_dims2(stored, sides.data()), ExitCode::kInputInvalid, "array field");
  for (int i = 0; i < rank; ++i) width *= static_cast<std::int64_t>(sides[i]);
  return hdf5_owned(H5Tarray_create2(native, static_cast<unsigned>(rank), sides.data()),
                    ExitCode::kInputInvalid, "array field");
}

}  // namespace

Hdf5Reader::Hdf5Reader(const std::string& path)
    : path_(path), file_(open_hdf5(path, Hdf5Access::kRead)) {
  // Files name other files in external links; what a user passes is read, and nothing else.
  H5Lunregister(H5L_TYPE_EXTERNAL);
}

Hdf5Object Hdf5Reader::describe(const std::string& object) {
  return describe_hdf5(path_, file_.id(), object);
}

Hdf5Id Hdf5Reader::open_dataset(const std::string& dataset) {
  if (dataset_.valid() && dataset_path_ == dataset) return dataset_.id();
  const auto open = [&](Hdf5Id properties) {
    return hdf5_owned(H5Dopen2(file_.id(), dataset.c_str(), properties), ExitCode::kInputInvalid,
                      path_, ": dataset ", dataset, " cannot be opened");
  };
  dataset_ = open(H5P_DEFAULT);
  const Hdf5Handle space(H5Dget_space(dataset_.id()));
  const std::size_t band = bytes_of_a_band(dataset_.id(), sides_of(space.id()));
  if (band > kSmallestCache) {
    const Hdf5Handle properties(H5Pcreate(H5P_DATASET_ACCESS));
    H5Pset_chunk_cache(properties.id(), kCacheSlots, band, H5D_CHUNK_CACHE_W0_DEFAULT);
    dataset_.close();
    dataset_ = open(properties.id());
  }
  dataset_path_ = dataset;
  return dataset_.id();
}

void Hdf5Reader::read(const std::string& dataset, Hdf5Id memory_type, std::int64_t first,
                      std::int64_t count, void* target) {
  const Hdf5Handle space = hdf5_owned(H5Dget_space(open_dataset(dataset)), ExitCode::kInputInvalid,
                                      path_, ": dataset ", dataset, " has no shape");
  std::vector<hsize_t> sides = sides_of(space.id());
  Hdf5Handle memory;
  if (!sides.empty()) {
    std::vector<hsize_t> start(sides.size(), 0);
    start[0] = static_cast<hsize_t>(first);
    sides[0] = static_cast<hsize_t>(count);
    hdf5_checked(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr,
                                     sides.data(), nullptr),
                 ExitCode::kInputInvalid, path_, ": dataset ", dataset, " has no such rows");
    memory = Hdf5Handle(H5Screate_simple(static_cast<int>(sides.size()), sides.data(), nullptr));
  }
  hdf5_checked(H5Dread(dataset_.id(), memory_type, memory.valid() ? memory.id() : H5S_ALL,
                       sides.empty() ? H5S_ALL : space.id(), H5P_DEFAULT, target),
               ExitCode::kInputInvalid, path_, ": dataset ", dataset,
               " cannot be read; the file is damaged, copy or download it again");
}

template <class T>
std::vector<T> Hdf5Reader::numbers(const std::string& dataset, const std::string& member,
                                   std::int64_t first, std::int64_t count) {
  const Hdf5Id native = std::is_same_v<T, double> ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
  const Hdf5Handle stored = file_type(open_dataset(dataset), member);
  std::int64_t width = 1;
  const Hdf5Handle type = in_member(number_type(native, stored.id(), width), member);
  const Hdf5Handle space(H5Dget_space(dataset_.id()));
  std::int64_t elements = count * width;
  const std::vector<hsize_t> sides = sides_of(space.id());
  for (std::size_t i = 1; i < sides.size(); ++i) elements *= static_cast<std::int64_t>(sides[i]);
  std::vector<T> values(static_cast<std::size_t>(elements));
  if (elements > 0) read(dataset, type.id(), first, count, values.data());
  return values;
}

std::vector<std::string> Hdf5Reader::texts(const std::string& dataset, const std::string& member,
                                           std::int64_t first, std::int64_t count) {
  const Hdf5Handle stored = file_type(open_dataset(dataset), member);
  const Hdf5TextType text(stored.id());
  const Hdf5Handle type = in_member(Hdf5Handle(H5Tcopy(text.memory().id())), member);
  std::vector<char> buffer(static_cast<std::size_t>(count) * text.bytes());
  if (count == 0) return {};
  read(dataset, type.id(), first, count, buffer.data());
  return text.take(buffer.data(), static_cast<std::size_t>(count));
}

template std::vector<double> Hdf5Reader::numbers<double>(const std::string&, const std::string&,
                                                         std::int64_t, std::int64_t);
template std::vector<std::int64_t> Hdf5Reader::numbers<std::int64_t>(const std::string&,
                                                                     const std::string&,
                                                                     std::int64_t, std::int64_t);

}  // namespace m2st::data
