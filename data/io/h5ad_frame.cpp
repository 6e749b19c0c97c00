#include "data/io/h5ad_frame.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "data/io/names.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr int kDeepest = 3;  // a column, its categories, which may be nullable, and their values

// The shortest text that reads back as the same number; whole numbers without a point.
std::string text_of(double value) {
  if (std::isnan(value)) return "";
  char buffer[32];
  const bool whole = std::floor(value) == value && std::abs(value) < 0x1p53;
  const auto end = whole ? std::to_chars(buffer, buffer + 32, static_cast<std::int64_t>(value)).ptr
                         : std::to_chars(buffer, buffer + 32, value).ptr;
  return {buffer, end};
}

std::vector<std::string> number_texts(Hdf5Source& source, const std::string& dataset,
                                      const std::string& member, Hdf5Values values) {
  std::vector<std::string> texts;
  for (const double value : source.numbers<double>(dataset, member)) {
    texts.push_back(values == Hdf5Values::kBoolean ? (value != 0 ? "True" : "False")
                                                   : text_of(value));
  }
  return texts;
}

bool is_number(Hdf5Values values) {
  return values == Hdf5Values::kInteger || values == Hdf5Values::kFloat ||
         values == Hdf5Values::kBoolean;
}

}  // namespace

H5adFrame::H5adFrame(Hdf5Source& source, const std::string& path) : source_(source), path_(path) {
  const Hdf5Object object = source.object(path);
  if (object.is_dataset() && object.values == Hdf5Values::kCompound) {
    records_ = true;
    rows_ = object.rows();
    if (object.members.empty())
      fail(ExitCode::kInputInvalid, source.path(), ": ", path, " is empty");
    index_ = object.members[0].name;
    for (std::size_t i = 1; i < object.members.size(); ++i) {
      columns_.push_back(object.members[i].name);
    }
    return;
  }
  if (!object.is_group()) {
    fail(ExitCode::kInputInvalid, source.path(), ": ", path,
         object.kind == Hdf5Kind::kAbsent ? " is missing" : " is no data frame",
         "; is this a file that anndata wrote?");
  }
  find_columns();
}

void H5adFrame::find_columns() {
  const Hdf5Object& object = source_.object(path_);
  index_ = object.text("_index");
  if (index_.empty()) {
    for (const char* usual : {"_index", "index", "barcodes", "cell_id"}) {
      if (index_.empty() && object.has_child(usual)) index_ = usual;
    }
  }
  if (index_.empty() || !object.has_child(index_)) {
    fail(ExitCode::kInputInvalid, source_.path(), ": ", path_, " has no column '",
         index_.empty() ? "_index" : index_, "' of names; it holds: ", listed(object.children));
  }
  for (const std::string& child : object.children) {
    if (child != index_ && child != "__categories") columns_.push_back(child);
  }
  const Hdf5Object& names = source_.object(path_ + "/" + index_);
  rows_ = names.is_group() ? source_.object(path_ + "/" + index_ + "/values").rows() : names.rows();
  if (names.is_group() && names.has_child("codes")) {
    rows_ = source_.object(path_ + "/" + index_ + "/codes").rows();
  }
}

bool H5adFrame::has(const std::string& column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

void H5adFrame::require(const std::string& column) const {
  if (has(column)) return;
  fail(ExitCode::kInputInvalid, source_.path(), ": ", path_.substr(1), " has no column '", column,
       "'; its columns are: ", columns_.empty() ? "none" : listed(columns_, 30));
}

void H5adFrame::require_rows(const std::string& column, std::size_t found) const {
  if (static_cast<std::int64_t>(found) == rows_) return;
  fail(ExitCode::kInputInvalid, source_.path(), ": ", path_, "/", column, " has ", found,
       " values, but there are ", rows_, " names; the file is damaged");
}

std::vector<std::string> H5adFrame::index() {
  std::vector<std::string> names =
      records_ ? record_texts(index_) : read_texts(path_ + "/" + index_, 0);
  require_rows(index_, names.size());
  return names;
}

std::vector<std::string> H5adFrame::texts(const std::string& column) {
  require(column);
  std::vector<std::string> values =
      records_ ? record_texts(column) : read_texts(path_ + "/" + column, 0);
  require_rows(column, values.size());
  return values;
}

bool H5adFrame::is_numeric(const std::string& column) {
  if (!has(column)) return false;
  if (records_) {
    const Hdf5Member* member = source_.object(path_).member(column);
    return is_number(member->values) && member->width == 1;
  }
  const Hdf5Object& object = source_.object(path_ + "/" + column);
  if (object.is_group()) {
    const Hdf5Object& values = source_.object(path_ + "/" + column + "/values");
    return values.is_dataset() && values.is_numeric();
  }
  return object.is_dataset() && object.is_numeric() && object.attribute("categories") == nullptr;
}

std::vector<double> H5adFrame::numbers(const std::string& column) {
  require(column);
  if (!is_numeric(column)) {
    fail(ExitCode::kInputInvalid, source_.path(), ": ", path_.substr(1), "/", column,
         " holds no numbers");
  }
  if (records_) return source_.numbers<double>(path_, column);
  const std::string path = path_ + "/" + column;
  const bool nullable = source_.object(path).is_group();
  std::vector<double> values = source_.numbers<double>(nullable ? path + "/values" : path);
  require_rows(column, values.size());
  if (!nullable) return values;
  const std::vector<std::int64_t> mask = source_.numbers<std::int64_t>(path + "/mask");
  require_rows(column + "/mask", mask.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask[i] != 0) values[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return values;
}

// Text, numbers, or codes with an attribute that says where their categories are (0.7).
std::vector<std::string> H5adFrame::read_texts(const std::string& path, int depth) {
  if (depth > kDeepest) {
    fail(ExitCode::kInputInvalid, source_.path(), ": ", path,
         " is nested too deeply; the file is damaged");
  }
  const Hdf5Object object = source_.object(path);
  if (object.is_group()) return read_group(path, depth);
  if (object.attribute("categories") != nullptr) {
    return decoded(path, "", object.text("categories"), depth);
  }
  return object.values == Hdf5Values::kText ? source_.texts(path)
                                            : number_texts(source_, path, "", object.values);
}

// A categorical, or nullable values of any kind.
std::vector<std::string> H5adFrame::read_group(const std::string& path, int depth) {
  const Hdf5Object object = source_.object(path);
  if (object.has_child("codes") && object.has_child("categories")) {
    return decoded(path + "/codes", "", path + "/categories", depth);
  }
  if (!object.has_child("values") || !object.has_child("mask")) {
    fail(ExitCode::kInputInvalid, source_.path(), ": ", path, " is of a kind that is not read ('",
         object.text("encoding-type"), "')");
  }
  std::vector<std::string> values = read_texts(path + "/values", depth + 1);
  const std::vector<std::int64_t> mask = source_.numbers<std::int64_t>(path + "/mask");
  if (mask.size() != values.size()) {
    fail(ExitCode::kInputInvalid, source_.path(), ": ", path, " has ", values.size(),
         " values but a mask of ", mask.size(), "; the file is damaged");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (mask[i] != 0) values[i].clear();
  }
  return values;
}

std::vector<std::string> H5adFrame::record_texts(const std::string& column) {
  const Hdf5Object object = source_.object(path_);
  const Hdf5Values values = object.member(column)->values;
  if (values == Hdf5Values::kText) return source_.texts(path_, column);
  const std::string categories = "/uns/" + column + "_categories";
  if (values == Hdf5Values::kInteger && source_.object(categories).is_dataset()) {
    return decoded(path_, column, categories, 0);
  }
  return number_texts(source_, path_, column, values);
}

std::vector<std::string> H5adFrame::decoded(const std::string& codes, const std::string& member,
                                            const std::string& categories, int depth) {
  const std::vector<std::string> names = read_texts(categories, depth + 1);
  std::vector<std::string> values;
  for (const std::int64_t code : source_.numbers<std::int64_t>(codes, member)) {
    if (code >= static_cast<std::int64_t>(names.size())) {
      fail(ExitCode::kInputInvalid, source_.path(), ": ", codes, " holds category ", code,
           ", but there are ", names.size(), "; the file is damaged");
    }
    values.push_back(code < 0 ? "" : names[static_cast<std::size_t>(code)]);
  }
  return values;
}

}  // namespace m2st::data
