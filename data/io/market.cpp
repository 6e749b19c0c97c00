// MatrixMarket as 10x and STARsolo write it: coordinates from 1, integers or reals.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "data/io/delimited.h"
#include "data/io/input_file.h"
#include "data/io/tenx_features.h"
#include "data/io/text_formats.h"
#include "data/io/text_stream.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kLinesAChunk = 8192;
// Beyond this a side has to be borne out by entries: lists as long as it are made for few of them.
// 10x's unfiltered barcodes are seven million, Visium HD's smallest squares eleven.
constexpr std::int64_t kUsualSide = 20'000'000;
constexpr std::int64_t kEmptyLinesAnEntry = 100;
constexpr std::int64_t kLargestSide = std::numeric_limits<std::int32_t>::max();

// Three numbers of a line; the third is 1 where the matrix is a pattern.
struct Triple {
  std::int64_t row = 0;
  std::int64_t column = 0;
  double value = 1;
};

const char* skip_blanks(const char* from, const char* end) {
  while (from != end && (*from == ' ' || *from == '\t')) ++from;
  return from;
}

bool parse_triple(std::string_view line, bool pattern, Triple& triple) {
  const char* end = line.data() + line.size();
  const char* next = skip_blanks(line.data(), end);
  const auto number = [&](auto& value) {
    const auto [stopped, error] = std::from_chars(next, end, value);
    const bool read = error == std::errc() && stopped != next;
    next = skip_blanks(stopped, end);
    return read;
  };
  return number(triple.row) && number(triple.column) && (pattern || number(triple.value)) &&
         next == end;
}

class MarketParser {
 public:
  MarketParser(CpuContext& context, const std::string& path)
      : context_(context), stream_(path), path_(path) {}

  MarketMatrix parse() {
    read_header();
    TextBatch batch;
    while (stream_.next(batch)) read_batch(batch);
    if (!sized_) fail(ExitCode::kInputInvalid, path_, ": ends before the line of its size");
    if (std::ssize(matrix_.entries.values) != expected_) {
      fail(ExitCode::kInputInvalid, path_, ": its header claims ", expected_,
           " entries, but there ", "are ", matrix_.entries.values.size(),
           "; it was cut short or damaged");
    }
    const std::int64_t side = std::max(matrix_.rows, matrix_.columns);
    if ((side - kUsualSide) / kEmptyLinesAnEntry > expected_) {
      fail(ExitCode::kInputInvalid, path_, ": its header claims ", matrix_.rows, " rows and ",
           matrix_.columns, " columns, nearly all of them empty (", expected_,
           " entries); it is damaged");
    }
    narrow_.check(path_);
    return std::move(matrix_);
  }

 private:
  struct Chunk {
    Entries entries;
    std::int64_t wrong_line = -1;  // in the batch
    Narrowing narrow;
  };

  void read_header() {
    TextBatch& batch = first_;
    if (!stream_.next(batch) || !batch.lines[0].starts_with("%%MatrixMarket")) {
      fail(ExitCode::kInputInvalid, path_, ": is no MatrixMarket file (its first line does not ",
           "begin with %%MatrixMarket)");
    }
    const std::string header = lower_case(batch.lines[0]);
    const auto says = [&](const char* word) { return header.find(word) != std::string::npos; };
    pattern_ = says(" pattern");
    if (!says(" coordinate") || !says(" general") ||
        !(says(" integer") || says(" real") || pattern_)) {
      fail(ExitCode::kInputInvalid, path_, ": its first line is '", batch.lines[0].substr(0, 80),
           "', need a matrix 'coordinate integer general' (or real)");
    }
    read_batch(batch);
  }

  void read_batch(const TextBatch& batch) {
    std::int64_t first = 0;
    for (; !sized_ && first < std::ssize(batch.lines); ++first) {
      const std::string_view line = batch.lines[first];
      if (!line.starts_with('%') && !line.empty()) read_size(line, batch.first_line + first);
    }
    const std::int64_t lines = std::ssize(batch.lines) - first;
    std::vector<Chunk> chunks(static_cast<std::size_t>(chunk_count(lines, kLinesAChunk)));
    parallel_for(context_, lines, kLinesAChunk, [&](std::int64_t begin, std::int64_t end) {
      read_lines(batch, first + begin, first + end, chunks[begin / kLinesAChunk]);
    });
    for (Chunk& chunk : chunks) {
      if (chunk.wrong_line >= 0) wrong(batch, chunk.wrong_line);
      narrow_.merge(chunk.narrow);
      append(chunk.entries);
    }
    if (std::ssize(matrix_.entries.values) > expected_) {
      fail(ExitCode::kInputInvalid, path_, ": its header claims ", expected_,
           " entries, but there are more; it is damaged");
    }
  }

  void read_size(std::string_view line, std::int64_t number) {
    Triple size;
    if (!parse_triple(line, false, size) || size.row < 0 || size.column < 0 || size.value < 0 ||
        size.row > kLargestSide || size.column > kLargestSide) {
      fail(ExitCode::kInputInvalid, path_, ": line ", number, ": '", line.substr(0, 80),
           "' is no size (rows, columns, entries) that is possible");
    }
    matrix_.rows = size.row;
    matrix_.columns = size.column;
    expected_ = size.value < 0x1p62 ? static_cast<std::int64_t>(size.value) : -1;
    sized_ = true;
  }

  void read_lines(const TextBatch& batch, std::int64_t begin, std::int64_t end, Chunk& chunk) {
    for (std::int64_t i = begin; i < end; ++i) {
      Triple triple;
      if (batch.lines[i].empty()) continue;
      if (!parse_triple(batch.lines[i], pattern_, triple) || triple.row < 1 ||
          triple.row > matrix_.rows || triple.column < 1 || triple.column > matrix_.columns) {
        chunk.wrong_line = i;
        return;
      }
      chunk.entries.add(static_cast<std::int32_t>(triple.row - 1),
                        static_cast<std::int32_t>(triple.column - 1), chunk.narrow(triple.value));
    }
  }

  [[noreturn]] void wrong(const TextBatch& batch, std::int64_t index) const {
    const std::string_view line = batch.lines[index];
    Triple triple;
    const bool parsed = parse_triple(line, pattern_, triple);
    fail(ExitCode::kInputInvalid, path_, ": line ", batch.first_line + index, ": '",
         line.substr(0, 80), "' is ",
         !parsed ? "not 'row column value'"
         : triple.row == 0 || triple.column == 0
             ? "counted from 0, but MatrixMarket counts from 1"
             : concat("outside the ", matrix_.rows, " by ", matrix_.columns, " of the header"));
  }

  void append(const Entries& more) {
    Entries& all = matrix_.entries;
    all.cells.insert(all.cells.end(), more.cells.begin(), more.cells.end());
    all.genes.insert(all.genes.end(), more.genes.begin(), more.genes.end());
    all.values.insert(all.values.end(), more.values.begin(), more.values.end());
  }

  CpuContext& context_;
  TextStream stream_;
  std::string path_;
  TextBatch first_;
  MarketMatrix matrix_;
  Narrowing narrow_;
  std::int64_t expected_ = 0;
  bool sized_ = false;
  bool pattern_ = false;
};

// PREFIX + name, plain or gzip, if either is there.
std::optional<std::string> beside(const std::string& prefix, const std::string& name) {
  for (const char* ending : {".gz", ""}) {
    std::error_code ignored;
    if (std::filesystem::exists(prefix + name + ending, ignored)) return prefix + name + ending;
  }
  return std::nullopt;
}

// The columns of a table without a header, the first `most` of them.
std::vector<std::vector<std::string>> read_columns(const std::string& path, std::size_t most) {
  DelimitedText table;
  table.path = path;
  table.text = read_text(path);
  split_text(table, {.delimiters = "\t", .comments = false, .labels = true});
  std::vector<std::vector<std::string>> columns(
      std::min(most, static_cast<std::size_t>(table.columns)));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    for (std::int64_t r = 0; r < table.rows(); ++r) {
      columns[c].emplace_back(table.field(r, static_cast<std::int64_t>(c)));
    }
  }
  return columns;
}

TenxFeatures read_features_table(const std::string& path) {
  std::vector<std::vector<std::string>> columns = read_columns(path, 3);
  TenxFeatures features;
  features.ids = columns[0];
  features.names = columns.size() > 1 ? std::move(columns[1]) : features.ids;
  if (columns.size() > 2) features.kinds = std::move(columns[2]);
  return features;
}

}  // namespace

MarketMatrix read_market(CpuContext& context, const std::string& path) {
  return MarketParser(context, path).parse();
}

Expression read_market_expression(CpuContext& context, const std::string& matrix_path) {
  const std::size_t name = matrix_path.rfind("matrix.mtx");
  const std::string prefix = name == std::string::npos ? "" : matrix_path.substr(0, name);
  const std::optional<std::string> barcodes = beside(prefix, "barcodes.tsv");
  std::optional<std::string> features = beside(prefix, "features.tsv");
  if (!features) features = beside(prefix, "genes.tsv");
  if (name != std::string::npos && barcodes.has_value() != features.has_value()) {
    fail(ExitCode::kInputInvalid, matrix_path, ": beside it lies ",
         barcodes ? "barcodes.tsv but neither features.tsv nor genes.tsv"
                  : "a list of genes but no barcodes.tsv",
         "; copy the whole folder");
  }
  MarketMatrix market = read_market(context, matrix_path);
  Expression expression;
  expression.format = "MatrixMarket folder";
  expression.files = {matrix_path};
  if (name == std::string::npos || !barcodes) {
    expression.format = "MatrixMarket file";
    std::swap(market.entries.cells, market.entries.genes);
    expression.values = rows_from_entries(context, market.columns, market.rows, market.entries);
    expression.found.push_back(concat("values: ", market.columns, " cells by ", market.rows,
                                      " genes (rows are genes, as 10x has it), ",
                                      expression.values.entries(), " not zero"));
    return expression;
  }
  expression.files.insert(expression.files.end(), {*barcodes, *features});
  expression.cells = read_columns(*barcodes, 1)[0];
  TenxFeatures table = read_features_table(*features);
  const std::int64_t cells = std::ssize(expression.cells), genes = std::ssize(table.ids);
  const bool usual = market.rows == genes && market.columns == cells;
  if (!usual && !(market.rows == cells && market.columns == genes)) {
    fail(ExitCode::kInputInvalid, matrix_path, ": is ", market.rows, " by ", market.columns,
         ", but there are ", genes, " features and ", cells,
         " barcodes beside it; the files do not belong together");
  }
  if (usual) std::swap(market.entries.cells, market.entries.genes);
  expression.values = rows_from_entries(context, cells, genes, market.entries);
  take_genes(*features, std::move(table), "", expression);
  return expression;
}

}  // namespace m2st::data
