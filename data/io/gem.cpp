// Stereo-seq's GEM: one line a gene and place, "#Key=Value" lines before a header that names the
// columns. Lines of a gene stand together, which keeps what is held at a time small.
#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <unordered_map>
#include <utility>

#include "data/io/bins.h"
#include "data/io/delimited.h"
#include "data/io/names.h"
#include "data/io/text_formats.h"
#include "data/io/text_stream.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

struct GemColumns {
  std::ptrdiff_t gene = -1, id = -1, x = -1, y = -1, count = -1, cell = -1;
  std::size_t columns = 0;

  bool complete() const { return gene >= 0 && x >= 0 && y >= 0 && count >= 0; }
};

GemColumns gem_columns(std::string_view header) {
  const std::vector<std::string_view> names = split_fields(header, '\t');
  const auto find = [&](std::initializer_list<const char*> known) {
    for (const char* name : known) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (lower_case(names[i]) == name) return static_cast<std::ptrdiff_t>(i);
      }
    }
    return std::ptrdiff_t{-1};
  };
  GemColumns columns;
  columns.gene = find({"genename", "geneid", "gene"});
  columns.id = find({"geneid"});
  columns.x = find({"x"});
  columns.y = find({"y"});
  columns.count = find({"midcount", "midcounts", "umicount"});
  columns.cell = find({"cellid", "cell_id", "cell"});
  columns.columns = names.size();
  return columns;
}

// Cells by the number that segmentation gave them; their place is the middle of their molecules.
class Segments {
 public:
  std::int32_t cell_at(std::int64_t id, std::int64_t x, std::int64_t y, double count) {
    const auto [place, fresh] = numbers_.try_emplace(id, static_cast<std::int32_t>(cells_.size()));
    if (fresh) cells_.push_back({id});
    Cell& cell = cells_[place->second];
    cell.x += count * static_cast<double>(x);
    cell.y += count * static_cast<double>(y);
    cell.count += count;
    return place->second;
  }
  void fill(CpuContext& context, const Entries& entries, Expression& expression) const {
    const std::int64_t cells = std::ssize(cells_);
    expression.coordinates = Matrix<double>(context.pool(), cells, 2);
    for (std::int64_t i = 0; i < cells; ++i) {
      expression.cells.push_back(std::to_string(cells_[i].id));
      expression.coordinates(i, 0) = cells_[i].x / cells_[i].count;
      expression.coordinates(i, 1) = cells_[i].y / cells_[i].count;
    }
    expression.values = rows_from_entries(context, cells, std::ssize(expression.genes), entries);
    expression.found.push_back(concat("values: ", cells, " cells (by CellID), ",
                                      expression.genes.size(), " genes, ",
                                      expression.values.entries(), " not zero"));
  }

 private:
  struct Cell {
    std::int64_t id = 0;
    double x = 0, y = 0, count = 0;
  };
  std::unordered_map<std::int64_t, std::int32_t> numbers_;
  std::vector<Cell> cells_;
};

class GemReader {
 public:
  GemReader(CpuContext& context, const std::string& path, const ReadOptions& options)
      : context_(context), path_(path), asked_(options.bin_size) {}

  Expression read() {
    expression_.format = "Stereo-seq GEM";
    TextStream stream(path_);
    std::string_view line;
    while (stream.next(line)) {
      number_ = stream.line();
      if (line.empty() || (line.starts_with('#') && !columns_.complete())) continue;
      if (columns_.complete()) {
        take(line);
      } else {
        begin(line);
      }
    }
    end_gene();
    narrow_.check(path_);
    if (by_cell_) {
      segments_.fill(context_, entries_, expression_);
      if (background_ > 0) {
        expression_.skipped.push_back(concat(background_, " lines outside of any cell (CellID 0)"));
      }
    } else {
      bins_.fill(context_, entries_, expression_);
    }
    return std::move(expression_);
  }

 private:
  void begin(std::string_view header) {
    columns_ = gem_columns(header);
    if (!columns_.complete()) {
      fail(ExitCode::kInputInvalid, path_, ": line ", number_,
           " does not name the columns of a GEM (geneID, x, y, MIDCount)");
    }
    by_cell_ = asked_ == 0 && columns_.cell >= 0;
    if (!by_cell_) bins_ = Bins(chosen_bin_size(asked_, expression_));
  }

  std::int64_t whole(std::string_view field, const char* what) const {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
    if (error == std::errc() && end == field.data() + field.size() && value >= -kLargest &&
        value <= kLargest) {
      return value;
    }
    fail(ExitCode::kInputInvalid, path_, ": line ", number_, ": ", what, " is '",
         field.substr(0, 40), "', need a whole number below 2^31");
  }

  void take(std::string_view line) {
    const std::vector<std::string_view> fields = split_fields(line, '\t');
    if (fields.size() != columns_.columns) {
      fail(ExitCode::kInputInvalid, path_, ": line ", number_, " has ", fields.size(),
           " fields, the header ", columns_.columns);
    }
    const std::int64_t x = whole(fields[columns_.x], "x"), y = whole(fields[columns_.y], "y");
    const std::int64_t count = whole(fields[columns_.count], "the count");
    if (count < 0) fail(ExitCode::kInputInvalid, path_, ": line ", number_, ": a count below 0");
    if (count == 0) return;
    const auto value = static_cast<double>(count);
    std::int32_t cell = 0;
    if (by_cell_) {
      const std::int64_t id = whole(fields[columns_.cell], "CellID");
      if (id <= 0) {
        ++background_;
        return;
      }
      cell = segments_.cell_at(id, x, y, value);
    } else {
      cell = bins_.cell_at(x, y);
    }
    enter_gene(fields[columns_.gene], columns_.id >= 0 ? fields[columns_.id] : "");
    of_gene_.emplace_back(cell, value);
  }

  // By id where there is one: names repeat.
  void enter_gene(std::string_view name, std::string_view id) {
    const std::string_view key = id.empty() ? name : id;
    if (gene_ >= 0 && key == gene_key_) return;
    end_gene();
    gene_key_ = key;
    const auto [place, fresh] =
        genes_.try_emplace(gene_key_, static_cast<std::int32_t>(genes_.size()));
    gene_ = place->second;
    if (!fresh) return;
    expression_.genes.emplace_back(name);
    if (columns_.id >= 0) expression_.gene_ids.emplace_back(id);
  }

  // Adds up what the gene has in each cell.
  void end_gene() {
    std::sort(of_gene_.begin(), of_gene_.end());
    for (std::size_t i = 0; i < of_gene_.size();) {
      const std::int32_t cell = of_gene_[i].first;
      double sum = 0;
      for (; i < of_gene_.size() && of_gene_[i].first == cell; ++i) sum += of_gene_[i].second;
      entries_.add(cell, gene_, narrow_(sum));
    }
    of_gene_.clear();
  }

  CpuContext& context_;
  std::string path_;
  int asked_;
  GemColumns columns_;
  bool by_cell_ = false;
  Bins bins_{1};
  Segments segments_;
  std::unordered_map<std::string, std::int32_t> genes_;
  std::string gene_key_;
  std::int32_t gene_ = -1;
  std::vector<std::pair<std::int32_t, double>> of_gene_;
  Entries entries_;
  Narrowing narrow_;
  std::int64_t number_ = 0;
  std::int64_t background_ = 0;
  Expression expression_;
};

}  // namespace

Expression read_gem(CpuContext& context, const std::string& path, const ReadOptions& options) {
  Expression expression = GemReader(context, path, options).read();
  expression.files = {path};
  return expression;
}

TextFormat text_format(const std::string& path) {
  TextStream stream(path);
  std::string_view line;
  while (stream.next(line)) {
    if (line.starts_with("%%MatrixMarket")) return TextFormat::kMarket;
    if (line.empty() || line.starts_with('#')) continue;
    return gem_columns(line).complete() ? TextFormat::kGem : TextFormat::kTable;
  }
  fail(ExitCode::kInputInvalid, path, ": holds no lines but comments");
}

}  // namespace m2st::data
