// What lies at a path of an HDF5 file, in plain values: the description that crosses from the
// process that calls the library (data/io/hdf5_server.h) to the one that understands formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace m2st::data {

enum class Hdf5Kind { kAbsent, kGroup, kDataset, kOther };

// kBoolean: an enumeration, as h5py writes bool. kNull: a data space without any element.
enum class Hdf5Values { kNull, kInteger, kFloat, kBoolean, kText, kCompound, kReference, kOther };

// Numbers hold integers and booleans too; a reference's text is the path it points to.
struct Hdf5Attribute {
  std::string name;
  Hdf5Values values = Hdf5Values::kOther;
  std::vector<std::int64_t> shape;
  std::vector<std::string> texts;
  std::vector<double> numbers;
};

struct Hdf5Member {
  std::string name;
  Hdf5Values values = Hdf5Values::kOther;  // of one element
  std::int64_t width = 1;                  // elements: more than 1 when the field is an array
};

struct Hdf5Object {
  Hdf5Kind kind = Hdf5Kind::kAbsent;
  Hdf5Values values = Hdf5Values::kOther;
  std::int64_t bytes = 0;                 // of an element
  std::vector<std::int64_t> shape;        // empty: a scalar
  std::int64_t chunk_rows = 0;            // 0: not stored in chunks
  std::int64_t chunk_bytes = 0;           // unpacked
  std::vector<Hdf5Member> members;        // a compound's fields, in order
  std::vector<std::string> children;      // a group's, by name
  std::vector<Hdf5Attribute> attributes;  // of at most kLargestAttribute bytes
  std::string obstacle;                   // why values cannot be read, with the way out; else ""

  bool is_group() const { return kind == Hdf5Kind::kGroup; }
  bool is_dataset() const { return kind == Hdf5Kind::kDataset; }
  bool is_numeric() const {
    return values == Hdf5Values::kInteger || values == Hdf5Values::kFloat ||
           values == Hdf5Values::kBoolean;
  }
  std::int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
  // Elements of one row; no product overflows in an object that the source has checked.
  std::int64_t row_elements() const {
    std::int64_t elements = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) elements *= shape[i];
    return elements;
  }
  // Null when there is no such thing.
  const Hdf5Attribute* attribute(std::string_view name) const {
    for (const Hdf5Attribute& one : attributes) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }
  const Hdf5Member* member(std::string_view name) const {
    for (const Hdf5Member& one : members) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }
  bool has_child(std::string_view name) const {
    for (const std::string& one : children) {
      if (one == name) return true;
    }
    return false;
  }
  // The text of an attribute that holds one, else "".
  std::string text(std::string_view name) const {
    const Hdf5Attribute* found = attribute(name);
    return found != nullptr && found->texts.size() == 1 ? found->texts[0] : std::string();
  }
};

inline constexpr std::int64_t kLargestAttribute = std::int64_t{1} << 28;

}  // namespace m2st::data
