// Text split into rows and fields: delimiter found from the first line, quotes undone, CRLF and
// blank ends taken off. Every row has as many fields as the first, or the error names its line.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace m2st::data {

// Fields are views into `text`, or into `unquoted` where a quoted field held doubled quotes: the
// table is neither copied nor moved after it was made.
struct DelimitedText {
  std::string path;
  std::string text;
  std::deque<std::string> unquoted;
  char delimiter = ',';  // ' ' stands for any run of blanks
  std::int64_t columns = 0;
  std::vector<std::string_view> fields;  // rows · columns
  std::vector<std::int64_t> lines;       // line number of each row, from 1

  DelimitedText() = default;
  DelimitedText(const DelimitedText&) = delete;
  DelimitedText& operator=(const DelimitedText&) = delete;

  std::int64_t rows() const { return static_cast<std::int64_t>(lines.size()); }
  std::string_view field(std::int64_t row, std::int64_t column) const {
    return fields[static_cast<std::size_t>(row * columns + column)];
  }
};

// `delimiters`: which may be found, in order of preference; a first line without any of them makes
// one column.
struct SplitOptions {
  std::string_view delimiters = "\t;, ";
  bool comments = true;  // lines before the first row that start with # are left out
  bool labels = false;   // of a single column, empty lines are rows too, but at the end
};

// A header of names one field shorter than the rows (R's write.table) gets an empty one in front.
// Exit code 4 with the line where rows differ in length or quotes are not closed.
void split_text(DelimitedText& table, const SplitOptions& options);

// A number and nothing else; infinities and NaN are read as such. False when it is none.
bool parse_number(std::string_view field, double& value);
bool is_number(std::string_view field);
// "", NA, N/A, NaN, null, None, <NA> in any case: what stands for a missing value.
bool is_missing(std::string_view field);
std::string lower_case(std::string_view text);

}  // namespace m2st::data
