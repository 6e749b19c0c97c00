#include "apps/pipeline/toml_text.h"

#include <algorithm>

namespace m2st::apps {

namespace {

// The place behind a string that begins at `begin`, over lines when it begins with three quotes.
std::size_t string_end(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  const std::string_view three = text.substr(begin, 3);
  const bool long_string = three == std::string_view("\"\"\"") || three == std::string_view("'''");
  std::size_t i = begin + (long_string ? 3 : 1);
  while (i < text.size()) {
    if (text[i] == '\\' && quote == '"') {
      i += 2;
    } else if (!long_string && (text[i] == quote || text[i] == '\n')) {
      return i + 1;
    } else if (long_string && text.substr(i, 3) == three) {
      // Up to two quotes may stand before the three that close.
      i += 3;
      for (int more = 0; more < 2 && i < text.size() && text[i] == quote; ++more) ++i;
      return i;
    } else {
      ++i;
    }
  }
  return text.size();
}

bool is_quote(char symbol) { return symbol == '"' || symbol == '\''; }

bool opens(char symbol) { return is_quote(symbol) || symbol == '[' || symbol == '{'; }

bool is_beyond_ascii(char symbol) { return static_cast<unsigned char>(symbol) >= 0x80; }

// TOML allows tabs and line ends of these, even in comments.
bool is_control(char symbol) {
  const auto code = static_cast<unsigned char>(symbol);
  return (code < 0x20 && symbol != '\t' && symbol != '\n' && symbol != '\r') || code == 0x7f;
}

// Whether a key or value may begin here. Behind anything else toml++ takes quotes and brackets for
// a part of a bare word, and what follows a quote for outside of a string.
bool may_begin(std::string_view text, std::size_t place) {
  const std::size_t before = text.substr(0, place).find_last_not_of(" \t\r");
  return before == std::string_view::npos ||
         std::string_view("\n=[{,").find(text[before]) != std::string_view::npos;
}

}  // namespace

int line_of_stray_character(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto line_of = [&](std::size_t place) {
    return 1 + static_cast<int>(std::count(text.begin(), text.begin() + place, '\n'));
  };
  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control != text.end()) return line_of(control - text.begin());
  bool equals_seen = false;
  std::size_t i = 0;
  while (i < text.size()) {
    const char symbol = text[i];
    if (symbol == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (opens(symbol) && !may_begin(text, i)) return line_of(i);
    if (is_quote(symbol)) {
      const std::size_t end = string_end(text, i);
      const bool over_lines = text.substr(i, 3) == std::string_view("\"\"\"");
      const auto stray = std::find_if(text.begin() + i, text.begin() + end, is_beyond_ascii);
      if (over_lines && stray != text.begin() + end) return line_of(stray - text.begin());
      i = end;
      continue;
    }
    // The second '=' of a pair is a part of its value, and so is a string that seems to begin
    // there.
    if (is_beyond_ascii(symbol) || (symbol == '=' && equals_seen)) return line_of(i);
    const bool next_pair = symbol == '\n' || symbol == ',' || symbol == '{' || symbol == '[';
    equals_seen = symbol == '=' || (equals_seen && !next_pair);
    ++i;
  }
  return 0;
}

}  // namespace m2st::apps
