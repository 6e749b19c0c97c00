// inspect: what a file holds, decided by its content, as JSON on stdout.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/standard_output.h"
#include "data/io/npy.h"
#include "data/io/output.h"
#include "data/io/table.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;

// More kinds of labels than this are counted, not listed.
constexpr std::size_t kListedLabels = 100;

bool starts_as_npy(const std::string& path) {
  std::array<char, 6> start{};
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), start.size());
  return std::string(start.data(), start.size()) == "\x93NUMPY";
}

template <class T>
void add_values(CpuContext& context, const std::string& path, Json& json) {
  const Matrix<T> values = data::read_npy<T>(context, path);
  std::int64_t odd = 0;
  T low = std::numeric_limits<T>::infinity();
  T high = -low;
  for (const T value : values.span()) {
    if (!std::isfinite(value)) {
      ++odd;
    } else {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  json["finite"] = odd == 0;
  json["not_finite"] = odd;
  json["minimum"] = low;
  json["maximum"] = high;
}

void describe_npy(CpuContext& context, const std::string& path, Json& json) {
  const data::NpyHeader header = data::read_npy_header(path);
  json["format"] = "npy";
  json["type"] = header.type;
  json["shape"] = header.shape;
  json["order"] = header.fortran_order ? "Fortran" : "C";
  if (header.shape.empty() || header.shape.size() > 2) return;
  if (header.type.substr(1) == "f4") {
    add_values<float>(context, path, json);
  } else {
    add_values<double>(context, path, json);
  }
}

void describe_labels(CpuContext& context, const std::string& path, Json& json) {
  const data::LabelTable table = data::read_labels(context, path, "");
  std::map<std::string, std::int64_t> sizes;
  for (const std::string& label : table.labels) ++sizes[label];
  json["format"] = "labels";
  json["rows"] = table.labels.size();
  json["named_cells"] = !table.cells.empty();
  json["different"] = sizes.size();
  if (sizes.size() <= kListedLabels) json["labels"] = sizes;
}

void describe_text(CpuContext& context, const std::string& path, Json& json) {
  try {
    const data::CoordinateTable table = data::read_coordinates_csv(context, path);
    json["format"] = "coordinates";
    json["rows"] = table.coordinates.rows();
    json["columns"] = table.coordinates.cols();
    json["named_cells"] = !table.cells.empty();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInputInvalid) throw;
    describe_labels(context, path, json);
  }
}

Json describe(CpuContext& context, const std::string& path) {
  Json json = {{"path", path}};
  json["xxh3_128"] = data::file_hash(path);
  json["bytes"] = std::filesystem::file_size(path);
  if (starts_as_npy(path)) {
    describe_npy(context, path, json);
  } else {
    describe_text(context, path, json);
  }
  return json;
}

}  // namespace

Command inspect_command() {
  const auto path = std::make_shared<std::string>();
  Command command{"inspect", "what a file holds", {}, {}};
  command.settings = {{"file", "FILE", "an .npy or a text table", "Input", path.get(), {}, true}};
  command.execute = [path](const std::vector<std::string>&) {
    CpuContext context(1);
    write_standard_output(
        describe(context, *path).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  };
  return command;
}

}  // namespace m2st::apps
