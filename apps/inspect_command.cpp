// inspect: what a file holds, decided by its content, as JSON on stdout.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "apps/command.h"
#include "apps/inspect_expression.h"
#include "apps/pipeline/read_settings.h"
#include "apps/pipeline/run_settings.h"
#include "apps/standard_output.h"
#include "data/io/delimited.h"
#include "data/io/hdf5_handle.h"
#include "data/io/input_file.h"
#include "data/io/npy.h"
#include "data/io/npy_type.h"
#include "data/io/output.h"
#include "data/io/read_expression.h"
#include "data/io/text_formats.h"
#include "data/io/text_stream.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string path;
  data::ReadOptions read;
  int threads = 0;
};

// More kinds of text than this are counted, not listed.
constexpr std::size_t kListedLabels = 100;
// More columns than any table of positions and labels has: these are counts.
constexpr std::size_t kWidestTable = 64;

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

bool is_value(std::string_view field) { return data::is_number(field) || data::is_missing(field); }

// A first row of names: over a column of numbers, or over any table of text with several columns.
bool has_header(const data::DelimitedText& table) {
  if (table.rows() < 2) return false;
  bool all_text = table.columns > 1;
  for (std::int64_t c = 0; c < table.columns; ++c) {
    bool numbers = true;
    for (std::int64_t r = 1; r < table.rows() && numbers; ++r)
      numbers = is_value(table.field(r, c));
    if (numbers && !is_value(table.field(0, c))) return true;
    all_text = all_text && !numbers;
  }
  return all_text;
}

Json describe_column(const data::DelimitedText& table, std::int64_t column, std::int64_t first) {
  std::map<std::string_view, std::int64_t> sizes;
  std::int64_t missing = 0;
  bool numbers = true;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (std::int64_t r = first; r < table.rows(); ++r) {
    const std::string_view field = table.field(r, column);
    double value = 0;
    if (data::is_missing(field)) {
      ++missing;
      continue;
    }
    ++sizes[field];
    numbers = numbers && data::parse_number(field, value);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  Json json = Json::object();
  if (first == 1) json["name"] = table.field(0, column);
  json["kind"] = numbers ? "numbers" : "text";
  json["missing"] = missing;
  json["different"] = sizes.size();
  if (numbers) {
    json["minimum"] = low;
    json["maximum"] = high;
  } else if (sizes.size() <= kListedLabels) {
    for (const auto& [label, size] : sizes) json["sizes"][std::string(label)] = size;
  }
  return json;
}

void describe_table(const std::string& path, Json& json) {
  data::DelimitedText table;
  table.path = path;
  table.text = data::read_text(path);
  data::split_text(table, {});
  const std::int64_t first = has_header(table) ? 1 : 0;
  json["format"] = "table";
  json["rows"] = table.rows() - first;
  json["columns"] = Json::array();
  for (std::int64_t c = 0; c < table.columns; ++c) {
    json["columns"].push_back(describe_column(table, c, first));
  }
}

// What holds expression in a form of its own; arrays and tables are described as they stand, unless
// how to read them as expression was said.
bool holds_expression(const std::string& path, const InspectOptions& options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored) || !options.read.coordinates.empty())
    return true;
  const data::InputFile file(path);
  if (file.size() == 0) fail(ExitCode::kInputInvalid, path, ": is empty");
  if (file.starts_with(data::kNpyMagic)) return false;
  if (file.starts_with("PK\x03\x04") || data::is_hdf5(path)) return true;
  if (path.ends_with(".h5ad") || path.ends_with(".h5")) return true;
  if (data::text_format(path) != data::TextFormat::kTable) return true;
  data::TextStream stream(path);
  std::string_view line;
  stream.next(line);
  return data::split_fields(line, data::delimiter_of(line)).size() > kWidestTable;
}

Json describe(CpuContext& context, const InspectOptions& options) {
  const std::string& path = options.path;
  Json json = {{"path", path}};
  if (holds_expression(path, options)) {
    json.update(expression_json(data::read_expression(context, path, options.read)));
    return json;
  }
  json["bytes"] = data::InputFile(path).size();
  json["xxh3_128"] = data::file_hash(path);
  if (data::InputFile(path).starts_with(data::kNpyMagic)) {
    describe_npy(context, path, json);
  } else {
    describe_table(path, json);
  }
  return json;
}

}  // namespace

Command inspect_command() {
  const auto options = std::make_shared<InspectOptions>();
  Command command{"inspect", "what a file or folder holds", {}, {}};
  data::ReadOptions& read = options->read;
  command.settings = read_settings(read);
  command.settings.insert(command.settings.begin(),
                          {{"input",
                            "INPUT",
                            "what `run` takes, an .npy or a text table",
                            "Input",
                            &options->path,
                            {},
                            true},
                           {"--coords", "FILE", "positions of a table's cells, joined by name",
                            "Input", &read.coordinates}});
  command.settings.push_back(
      {"--use-graph", "NAME", ".h5ad: neighbours from obsp/NAME", "Reading", &read.use_graph});
  command.settings.push_back(threads_setting(options->threads));
  command.execute = [options](const std::vector<std::string>&) {
    CpuContext context(options->threads);
    write_standard_output(
        describe(context, *options).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  };
  return command;
}

}  // namespace m2st::apps
