// Dense tables of counts, gene by gene (Slide-seq's MappedDGEForR) or cell by cell (CosMx,
// MERSCOPE, any data frame), read in batches whose lines are parsed by all threads.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "data/io/delimited.h"
#include "data/io/expression_parts.h"
#include "data/io/names.h"
#include "data/io/table.h"
#include "data/io/text_formats.h"
#include "data/io/text_stream.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kLinesAChunk = 16;  // lines are long
constexpr std::int32_t kNoNumber = -1;     // of a column that holds a name

// What the first line says of the others.
struct Layout {
  char delimiter = ',';
  bool lines_are_genes = false;
  std::size_t fields = 0;              // of a line
  std::vector<std::int32_t> numbers;   // (fields) which gene or cell, kNoNumber for names
  std::vector<std::size_t> names;      // fields whose texts, joined by "_", name the line
  std::vector<std::string> headers;    // of the numbers
  std::vector<std::size_t> positions;  // fields that are x and y; they are no genes
};

// The lines of one chunk, parsed.
struct Lines {
  std::vector<std::string> names;
  std::vector<double> positions;
  Entries entries;  // `cells` are lines of the chunk, `genes` numbers
  Narrowing narrow;
  std::string error;
  std::int64_t wrong_line = -1;
};

bool names_genes(std::string_view corner) {
  const std::string name = lower_case(corner);
  return name == "gene" || name == "genes" || name == "geneid" || name == "gene_id" ||
         name == "gene_name" || name == "symbol" || name == "row";
}

std::vector<std::size_t> asked_fields(const std::vector<std::string>& header,
                                      const std::string& names) {
  std::vector<std::size_t> fields;
  for (const std::string& name : split_names(names)) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) fields.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return fields;
}

bool mostly_known(const std::vector<std::string>& header, const std::vector<std::string>& cells) {
  const NameIndex index = index_names(cells);
  const auto known = std::count_if(header.begin(), header.end(),
                                   [&](const std::string& name) { return index.contains(name); });
  return 2 * known > std::ssize(header);
}

// Fields that are x and y, where the lines are cells and no other table gives positions.
std::vector<std::size_t> position_fields(const std::vector<std::string>& header,
                                         const ReadOptions& options) {
  if (!options.coordinates.empty()) return {};
  std::string asked = options.x_column + "," + options.y_column;
  if (options.x_column.empty() || options.y_column.empty()) {
    asked.clear();
    for (const std::string& name : axis_columns(header)) asked += name + ",";
  }
  return asked_fields(header, asked);
}

Layout read_layout(std::string_view line, std::size_t fields, const std::vector<std::string>& cells,
                   const ReadOptions& options) {
  Layout layout;
  layout.delimiter = delimiter_of(line);
  std::vector<std::string> header;
  for (const std::string_view field : split_fields(line, layout.delimiter)) {
    header.emplace_back(field);
  }
  if (header.size() + 1 == fields) header.insert(header.begin(), "");  // R leaves the corner out
  layout.fields = header.size();
  layout.lines_are_genes = cells.empty() ? names_genes(header[0]) : mostly_known(header, cells);
  if (!layout.lines_are_genes) {
    layout.names = asked_fields(header, options.id_column);
    layout.positions = position_fields(header, options);
  }
  if (layout.names.empty()) layout.names = {0};
  layout.numbers.assign(layout.fields, kNoNumber);
  for (std::size_t f = 0; f < layout.fields; ++f) {
    const auto is = [f](const std::vector<std::size_t>& list) {
      return std::find(list.begin(), list.end(), f) != list.end();
    };
    if (is(layout.names) || is(layout.positions)) continue;
    layout.numbers[f] = static_cast<std::int32_t>(layout.headers.size());
    layout.headers.push_back(header[f]);
  }
  return layout;
}

std::string value_error(std::size_t field, std::string_view text) {
  return concat("field ", field + 1, ": '", text.substr(0, 40), "' is ",
                is_missing(text) ? "a missing value; write 0, or leave the cell out"
                : text.find(',') != std::string_view::npos
                    ? "not a number; write decimals with a point"
                    : "not a number");
}

std::string_view next_field(std::string_view& line, char delimiter, bool& more) {
  std::string_view field;
  std::size_t end = 0;
  if (line.starts_with('"')) {
    const std::size_t close = std::min(line.find('"', 1), line.size());
    field = line.substr(1, close - 1);
    end = line.find(delimiter, close);
  } else {
    end = line.find(delimiter);
    field = line.substr(0, end);
  }
  more = end != std::string_view::npos;
  line.remove_prefix(more ? end + 1 : line.size());
  return field;
}

// False when the text is no number; "0" is what most fields hold.
bool parse_value(std::string_view text, double& value) {
  value = 0;
  if (text == "0") return true;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return (error == std::errc() && stopped == end) || parse_number(text, value);
}

// False when the line is wrong, which `lines.error` then says.
bool parse_line(const Layout& layout, std::string_view line, Lines& lines) {
  const auto row = static_cast<std::int32_t>(lines.names.size());
  std::string& name = lines.names.emplace_back();
  lines.positions.resize(lines.positions.size() + layout.positions.size());
  double* positions = lines.positions.data() + row * layout.positions.size();
  std::size_t field = 0;
  for (bool more = true; more; ++field) {
    const std::string_view text = next_field(line, layout.delimiter, more);
    if (field >= layout.fields) continue;
    const auto axis = std::find(layout.positions.begin(), layout.positions.end(), field);
    const bool is_position = axis != layout.positions.end();
    if (layout.numbers[field] == kNoNumber && !is_position) {
      if (field != layout.names[0]) name += '_';
      name += text;
      continue;
    }
    double value = 0;
    if (!parse_value(text, value)) {
      lines.error = value_error(field, text);
      return false;
    }
    if (is_position) {
      positions[axis - layout.positions.begin()] = value;
    } else if (value != 0) {
      lines.entries.add(row, layout.numbers[field], lines.narrow(value));
    }
  }
  if (field == layout.fields) return true;
  lines.error = concat("has ", field, " fields, the first line ", layout.fields);
  return false;
}

class TableReader {
 public:
  TableReader(CpuContext& context, const std::string& path, const std::vector<std::string>& cells,
              const ReadOptions& options)
      : context_(context), path_(path), cells_(cells), options_(options) {}

  Expression read() {
    TextStream stream(path_);
    TextBatch batch;
    while (stream.next(batch)) {
      std::int64_t first = 0;
      if (header_.empty()) header_ = batch.lines[first++];
      if (first < std::ssize(batch.lines) && layout_.fields == 0) {
        const char delimiter = delimiter_of(header_);
        layout_ = read_layout(header_, split_fields(batch.lines[first], delimiter).size(), cells_,
                              options_);
      }
      read_lines(batch, first);
    }
    if (names_.empty()) fail(ExitCode::kInputInvalid, path_, ": has a first line but no others");
    narrow_.check(path_);
    return finish();
  }

 private:
  void read_lines(const TextBatch& batch, std::int64_t first) {
    const std::int64_t count = std::ssize(batch.lines) - first;
    std::vector<Lines> chunks(static_cast<std::size_t>(chunk_count(count, kLinesAChunk)));
    parallel_for(context_, count, kLinesAChunk, [&](std::int64_t begin, std::int64_t end) {
      Lines& lines = chunks[static_cast<std::size_t>(begin / kLinesAChunk)];
      for (std::int64_t i = first + begin; i < first + end && lines.wrong_line < 0; ++i) {
        const std::string_view line = batch.lines[static_cast<std::size_t>(i)];
        if (!line.empty() && !parse_line(layout_, line, lines)) lines.wrong_line = i;
      }
    });
    for (Lines& lines : chunks) {
      if (lines.wrong_line >= 0) {
        fail(ExitCode::kInputInvalid, path_, ": line ", batch.first_line + lines.wrong_line, ": ",
             lines.error);
      }
      take(lines);
    }
  }

  void take(Lines& lines) {
    const auto before = static_cast<std::int32_t>(names_.size());
    std::move(lines.names.begin(), lines.names.end(), std::back_inserter(names_));
    positions_.insert(positions_.end(), lines.positions.begin(), lines.positions.end());
    narrow_.merge(lines.narrow);
    for (std::size_t e = 0; e < lines.entries.values.size(); ++e) {
      const std::int32_t line = before + lines.entries.cells[e];
      const std::int32_t number = lines.entries.genes[e];
      entries_.add(layout_.lines_are_genes ? number : line, layout_.lines_are_genes ? line : number,
                   lines.entries.values[e]);
    }
  }

  Expression finish() {
    Expression expression;
    expression.format = "table of counts";
    expression.files = {path_};
    expression.cells = layout_.lines_are_genes ? layout_.headers : names_;
    expression.genes = layout_.lines_are_genes ? names_ : layout_.headers;
    const std::int64_t cells = std::ssize(expression.cells), genes = std::ssize(expression.genes);
    expression.values = rows_from_entries(context_, cells, genes, entries_);
    expression.found.push_back(concat("values: ", cells, " cells by ", genes, " genes (lines are ",
                                      layout_.lines_are_genes ? "genes" : "cells", "), ",
                                      expression.values.entries(), " not zero"));
    const auto axes = static_cast<std::int64_t>(layout_.positions.size());
    if (axes < 2) return expression;
    expression.coordinates = Matrix<double>(context_.pool(), cells, axes);
    std::copy(positions_.begin(), positions_.end(), expression.coordinates.data());
    expression.found.push_back("positions: columns of the same table");
    return expression;
  }

  CpuContext& context_;
  std::string path_;
  const std::vector<std::string>& cells_;
  const ReadOptions& options_;
  std::string header_;
  Layout layout_;
  std::vector<std::string> names_;
  std::vector<double> positions_;
  Entries entries_;
  Narrowing narrow_;
};

}  // namespace

Expression read_counts_table(CpuContext& context, const std::string& path,
                             const std::vector<std::string>& cells, const ReadOptions& options) {
  return TableReader(context, path, cells, options).read();
}

char delimiter_of(std::string_view line) {
  for (const char delimiter : {'\t', ';', ','}) {
    if (line.find(delimiter) != std::string_view::npos) return delimiter;
  }
  return ',';
}

std::vector<std::string_view> split_fields(std::string_view line, char delimiter) {
  std::vector<std::string_view> fields;
  for (bool more = true; more;) fields.push_back(next_field(line, delimiter, more));
  return fields;
}

}  // namespace m2st::data
