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

// TOML allows tabs and line ends of these, even in comments.
bool is_control(char symbol) {
  const auto code = static_cast<unsigned char>(symbol);
  return (code < 0x20 && symbol != '\t' && symbol != '\n' && symbol != '\r') || code == 0x7f;
}

// What ends a key and its value; behind it, another '=' may stand.
bool ends_pair(char symbol) {
  return std::string_view("\n[]{},").find(symbol) != std::string_view::npos;
}

// Where a string may begin. Behind anything else toml++ takes the quote for a part of a bare word,
// and what follows it for outside of a string.
bool may_begin_string(std::string_view text, std::size_t place) {
  return place == 0 ||
         std::string_view(" \t\r\n=[],{}").find(text[place - 1]) != std::string_view::npos;
}

}  // namespace

int line_of_stray_character(std::string_view text) {
  const auto line_of = [&](std::size_t place) {
    return 1 + static_cast<int>(std::count(text.begin(), text.begin() + place, '\n'));
  };
  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control != text.end()) return line_of(control - text.begin());
  bool equals_seen = false;
  std::size_t i = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  while (i < text.size()) {
    const char symbol = text[i];
    if (is_quote(symbol) && may_begin_string(text, i)) {
      i = string_end(text, i);
      continue;
    }
    if (symbol == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    // The second '=' of a pair is a part of its value, and so is a string that seems to begin
    // there.
    const bool stray = is_quote(symbol) || static_cast<unsigned char>(symbol) >= 0x80;
    if (stray || (symbol == '=' && equals_seen)) return line_of(i);
    equals_seen = symbol == '=' || (equals_seen && !ends_pair(symbol));
    ++i;
  }
  return 0;
}

}  // namespace m2st::apps
