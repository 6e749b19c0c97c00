#include "data/io/delimited.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <system_error>

#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr std::string_view kBlanks = " \t";
constexpr char kNoDelimiter = '\0';

std::string_view trimmed(std::string_view text, std::string_view blanks = kBlanks) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Takes the next line off `rest`, without its end (LF, CRLF or CR).
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
  const std::string_view line = rest.substr(0, end);
  const std::size_t ending = rest.substr(end).starts_with("\r\n") ? 2 : 1;
  rest.remove_prefix(std::min(end + ending, rest.size()));
  return line;
}

char find_delimiter(std::string_view line, std::string_view candidates) {
  std::string outside;
  bool quoted = false;
  for (const char symbol : trimmed(line, " ")) {
    if (symbol == '"') quoted = !quoted;
    if (!quoted) outside += symbol;
  }
  for (const char candidate : candidates) {
    if (outside.find(candidate) != std::string::npos) return candidate;
  }
  return kNoDelimiter;
}

class RowSplitter {
 public:
  explicit RowSplitter(DelimitedText& table) : table_(table) {}

  void split(std::string_view line, std::int64_t number) {
    line_ = line;
    number_ = number;
    const std::size_t before = table_.fields.size();
    if (table_.delimiter == ' ') {
      split_at_blanks();
    } else {
      split_at_delimiter();
    }
    const auto found = static_cast<std::int64_t>(table_.fields.size() - before);
    if (table_.lines.empty()) table_.columns = found;
    const bool corner_missing = table_.lines.size() == 1 && found == table_.columns + 1;
    if (corner_missing &&
        !std::all_of(table_.fields.begin(), table_.fields.end() - found, is_number)) {
      table_.fields.insert(table_.fields.begin(), std::string_view());
      table_.columns = found;
    }
    if (found != table_.columns) {
      fail(ExitCode::kInputInvalid, table_.path, ": line ", number, " has ", found,
           found == 1 ? " field" : " fields", ", need ", table_.columns, ": '",
           line.substr(0, kShown), "'");
    }
    table_.lines.push_back(number);
  }

 private:
  static constexpr std::size_t kShown = 60;

  void split_at_blanks() {
    for (std::string_view rest = trimmed(line_); !rest.empty(); rest = trimmed(rest)) {
      if (rest.front() == '"') {
        add_quoted(rest);
      } else {
        const std::size_t end = std::min(rest.find_first_of(kBlanks), rest.size());
        table_.fields.push_back(rest.substr(0, end));
        rest.remove_prefix(end);
      }
    }
  }

  void split_at_delimiter() {
    std::string_view rest = line_;
    for (;;) {
      // A tab may be the delimiter, so only spaces are taken off around a field.
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      if (rest.starts_with('"')) {
        add_quoted(rest);
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        if (!rest.empty() && rest.front() != table_.delimiter) stray_quote();
      } else {
        const std::size_t end = std::min(rest.find(table_.delimiter), rest.size());
        table_.fields.push_back(trimmed(rest.substr(0, end), " "));
        rest.remove_prefix(end);
      }
      if (rest.empty()) return;
      rest.remove_prefix(1);
    }
  }

  // Takes a quoted field off `rest`, which starts with its quote.
  void add_quoted(std::string_view& rest) {
    bool doubled = false;
    std::size_t end = 1;
    for (;; ++end) {
      end = rest.find('"', end);
      if (end == std::string_view::npos) stray_quote();
      if (end + 1 >= rest.size() || rest[end + 1] != '"') break;
      doubled = true;
      ++end;
    }
    const std::string_view content = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!doubled) {
      table_.fields.push_back(content);
      return;
    }
    std::string& plain = table_.unquoted.emplace_back();
    for (std::size_t i = 0; i < content.size(); ++i) {
      plain += content[i];
      if (content[i] == '"') ++i;
    }
    table_.fields.push_back(plain);
  }

  [[noreturn]] void stray_quote() const {
    fail(ExitCode::kInputInvalid, table_.path, ": line ", number_,
         " has a quote that is not closed, or text after one: '", line_.substr(0, kShown), "'");
  }

  DelimitedText& table_;
  std::string_view line_;
  std::int64_t number_ = 0;
};

}  // namespace

void split_text(DelimitedText& table, const SplitOptions& options) {
  std::string_view rest = table.text;
  rest = rest.substr(0, rest.find_last_not_of("\r\n") + 1);
  RowSplitter splitter(table);
  bool started = false;
  std::vector<std::int64_t> empty_before;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = next_line(rest);
    const bool empty = trimmed(line).empty();
    if (!started && empty) empty_before.push_back(number);
    if (!started && (empty || (options.comments && line.front() == '#'))) continue;
    if (!started) table.delimiter = find_delimiter(line, options.delimiters);
    const bool keep_empty = options.labels && table.delimiter == kNoDelimiter;
    for (const std::int64_t before : empty_before) {
      if (keep_empty) splitter.split({}, before);
    }
    empty_before.clear();
    started = true;
    if (!empty || keep_empty) splitter.split(line, number);
  }
  if (table.lines.empty()) fail(ExitCode::kInputInvalid, table.path, ": holds no rows");
}

bool parse_number(std::string_view field, double& value) {
  field = trimmed(field);
  if (field.starts_with('+') && !field.starts_with("+-")) field.remove_prefix(1);
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  return error == std::errc() && stop == end && !field.empty();
}

bool is_number(std::string_view field) {
  double value = 0;
  return parse_number(field, value);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& symbol : lower) {
    symbol = static_cast<char>(std::tolower(static_cast<unsigned char>(symbol)));
  }
  return lower;
}

bool is_missing(std::string_view field) {
  constexpr std::array<std::string_view, 7> kMissing = {"",     "na",   "n/a", "nan",
                                                        "null", "none", "<na>"};
  if (field.size() > 4) return false;
  return std::find(kMissing.begin(), kMissing.end(), lower_case(trimmed(field))) != kMissing.end();
}

}  // namespace m2st::data
