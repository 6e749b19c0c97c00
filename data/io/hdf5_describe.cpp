#include "data/io/hdf5_describe.h"

#include <hdf5.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "data/io/hdf5_text.h"

namespace m2st::data {

namespace {

// A damaged group can go round in a circle.
constexpr std::size_t kMostChildren = 1 << 20;
constexpr double kLargestChunk = 0x1p32;  // the library's own limit

Hdf5Values values_of(Hdf5Id type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return Hdf5Values::kInteger;
    case H5T_FLOAT:
      return Hdf5Values::kFloat;
    case H5T_ENUM:
      return Hdf5Values::kBoolean;
    case H5T_STRING:
      return Hdf5Values::kText;
    case H5T_COMPOUND:
      return Hdf5Values::kCompound;
    case H5T_REFERENCE:
      return Hdf5Values::kReference;
    default:
      return Hdf5Values::kOther;
  }
}

std::vector<std::int64_t> shape_of(Hdf5Id space) {
  std::array<hsize_t, H5S_MAX_RANK> sides{};
  const int rank = H5Sget_simple_extent_dims(space, sides.data(), nullptr);
  std::vector<std::int64_t> shape;
  for (int i = 0; i < rank; ++i) shape.push_back(static_cast<std::int64_t>(sides[i]));
  return shape;
}

std::string referenced_path(Hdf5Id attribute) {
  hobj_ref_t reference = 0;
  if (H5Aread(attribute, H5T_STD_REF_OBJ, &reference) < 0) return "";
  const Hdf5Handle target(H5Rdereference2(attribute, H5P_DEFAULT, H5R_OBJECT, &reference));
  if (!target.valid()) return "";
  std::array<char, 4096> name{};
  return H5Iget_name(target.id(), name.data(), name.size()) > 0 ? name.data() : "";
}

void read_attribute(Hdf5Id id, Hdf5Attribute& attribute) {
  const Hdf5Handle type(H5Aget_type(id));
  const Hdf5Handle space(H5Aget_space(id));
  if (!type.valid() || !space.valid()) return;
  attribute.values = values_of(type.id());
  if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) attribute.values = Hdf5Values::kNull;
  attribute.shape = shape_of(space.id());
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  const auto largest = static_cast<hssize_t>(
      kLargestAttribute / std::max<std::size_t>(H5Tget_size(type.id()), sizeof(double)));
  if (count <= 0 || count > largest) return;
  const auto size = static_cast<std::size_t>(count);
  switch (attribute.values) {
    case Hdf5Values::kText: {
      const Hdf5TextType text(type.id());
      std::vector<char> buffer(size * text.bytes());
      if (H5Aread(id, text.memory().id(), buffer.data()) < 0) return;
      attribute.texts = text.take(buffer.data(), size);
      return;
    }
    case Hdf5Values::kInteger:
    case Hdf5Values::kFloat:
    case Hdf5Values::kBoolean:
      attribute.numbers.resize(size);
      if (H5Aread(id, H5T_NATIVE_DOUBLE, attribute.numbers.data()) < 0) attribute.numbers.clear();
      return;
    case Hdf5Values::kReference:
      if (size == 1 && H5Tequal(type.id(), H5T_STD_REF_OBJ) > 0) {
        attribute.texts = {referenced_path(id)};
      }
      return;
    default:
      return;
  }
}

herr_t add_attribute(hid_t object, const char* name, const H5A_info_t*, void* attributes) {
  Hdf5Attribute attribute;
  attribute.name = name;
  const Hdf5Handle opened(H5Aopen(object, name, H5P_DEFAULT));
  if (opened.valid()) read_attribute(opened.id(), attribute);
  static_cast<std::vector<Hdf5Attribute>*>(attributes)->push_back(std::move(attribute));
  return 0;
}

herr_t add_child(hid_t, const char* name, const H5L_info_t*, void* children) {
  auto& list = *static_cast<std::vector<std::string>*>(children);
  if (list.size() == kMostChildren) return -1;
  list.emplace_back(name);
  return 0;
}

void add_members(Hdf5Id type, Hdf5Object& object) {
  const int count = H5Tget_nmembers(type);
  for (int i = 0; i < count; ++i) {
    char* name = H5Tget_member_name(type, static_cast<unsigned>(i));
    const Hdf5Handle member(H5Tget_member_type(type, static_cast<unsigned>(i)));
    Hdf5Member& added = object.members.emplace_back();
    added.name = name == nullptr ? "" : name;
    H5free_memory(name);
    added.values = values_of(member.id());
    if (H5Tget_class(member.id()) != H5T_ARRAY) continue;
    const Hdf5Handle element(H5Tget_super(member.id()));
    added.values = values_of(element.id());
    added.width = static_cast<std::int64_t>(H5Tget_size(member.id()) /
                                            std::max<std::size_t>(H5Tget_size(element.id()), 1));
  }
}

std::string filter_name(H5Z_filter_t filter, const char* stored) {
  constexpr std::array<std::pair<H5Z_filter_t, const char*>, 7> kKnown = {{{307, "bzip2"},
                                                                           {32001, "blosc"},
                                                                           {32004, "lz4"},
                                                                           {32008, "bitshuffle"},
                                                                           {32013, "zfp"},
                                                                           {32015, "zstd"},
                                                                           {32026, "blosc2"}}};
  for (const auto& [number, name] : kKnown) {
    if (number == filter) return name;
  }
  return stored;
}

// Why the values of a dataset are out of reach, or "".
std::string obstacle_of(Hdf5Id properties) {
  if (H5Pget_layout(properties) == H5D_VIRTUAL || H5Pget_external_count(properties) > 0) {
    return "keeps its values in other files, which are not read; save a copy that holds them";
  }
  const int filters = H5Pget_nfilters(properties);
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, setup = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter = H5Pget_filter2(properties, static_cast<unsigned>(i), &flags,
                                               &values, nullptr, name.size(), name.data(), &setup);
    name.back() = '\0';
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    return concat("uses HDF5 filter ", filter, " (", filter_name(filter, name.data()),
                  ") which is not available; save it again with adata.write_h5ad(path, "
                  "compression='gzip')");
  }
  return "";
}

void describe_dataset(Hdf5Id dataset, Hdf5Object& object) {
  const Hdf5Handle type(H5Dget_type(dataset));
  const Hdf5Handle space(H5Dget_space(dataset));
  const Hdf5Handle properties(H5Dget_create_plist(dataset));
  if (!type.valid() || !space.valid() || !properties.valid()) {
    object.obstacle = "is damaged (HDF5: " + hdf5_reason() + "); copy or download the file again";
    return;
  }
  object.values = values_of(type.id());
  object.bytes = static_cast<std::int64_t>(H5Tget_size(type.id()));
  object.shape = shape_of(space.id());
  if (H5Sget_simple_extent_type(space.id()) == H5S_NULL) object.values = Hdf5Values::kNull;
  if (object.values == Hdf5Values::kCompound) add_members(type.id(), object);
  object.obstacle = obstacle_of(properties.id());
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  if (H5Pget_layout(properties.id()) != H5D_CHUNKED) return;
  const int rank = H5Pget_chunk(properties.id(), H5S_MAX_RANK, chunk.data());
  if (rank < 1) return;
  object.chunk_rows = static_cast<std::int64_t>(chunk[0]);
  double bytes = static_cast<double>(object.bytes);
  for (int i = 0; i < rank; ++i) bytes *= static_cast<double>(chunk[i]);
  object.chunk_bytes = static_cast<std::int64_t>(std::min(bytes, kLargestChunk));
}

// Whether every step of the way exists; a link into another file is an obstacle.
bool reaches(Hdf5Id file, const std::string& path, Hdf5Object& object) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (part != "/" && H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) return false;
    H5L_info_t link{};
    if (part != "/" && H5Lget_info(file, part.c_str(), &link, H5P_DEFAULT) >= 0 &&
        link.type == H5L_TYPE_EXTERNAL) {
      object.kind = Hdf5Kind::kOther;
      object.obstacle =
          "is a link into another file, which is not followed; save a copy without "
          "external links";
      return false;
    }
    if (end == std::string::npos) return true;
  }
}

}  // namespace

Hdf5Object describe_hdf5(const std::string& path, Hdf5Id file, const std::string& name) {
  Hdf5Object object;
  if (!reaches(file, name, object)) return object;
  const Hdf5Handle opened(H5Oopen(file, name.c_str(), H5P_DEFAULT));
  if (!opened.valid()) {
    const std::string reason = hdf5_reason();
    H5L_info_t link{};
    if (H5Lget_info(file, name.c_str(), &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_SOFT) {
      object.kind = Hdf5Kind::kOther;
      object.obstacle = "is a link that leads nowhere";
      return object;
    }
    fail(ExitCode::kInputInvalid, path, ": ", name, " cannot be opened (HDF5: ", reason,
         "); the file is damaged, copy or download it again");
  }
  object.kind = Hdf5Kind::kOther;
  if (H5Iget_type(opened.id()) == H5I_GROUP) {
    object.kind = Hdf5Kind::kGroup;
    hdf5_checked(
        H5Literate(opened.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_child, &object.children),
        ExitCode::kInputInvalid, path, ": group ", name,
        " cannot be listed; the file is damaged, copy or download it again");
  } else if (H5Iget_type(opened.id()) == H5I_DATASET) {
    object.kind = Hdf5Kind::kDataset;
    describe_dataset(opened.id(), object);
  }
  hdf5_checked(H5Aiterate2(opened.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_attribute,
                           &object.attributes),
               ExitCode::kInputInvalid, path, ": the attributes of ", name,
               " cannot be read; the file is damaged, copy or download it again");
  return object;
}

}  // namespace m2st::data
