#include "data/io/names.h"

#include <algorithm>
#include <unordered_set>

namespace m2st::data {

namespace {

// Bytes that follow a first byte of UTF-8, or -1 when it is none.
int bytes_after(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xC2 && first < 0xE0) return 1;
  if (first >= 0xE0 && first < 0xF0) return 2;
  return first >= 0xF0 && first < 0xF5 ? 3 : -1;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int more = bytes_after(static_cast<unsigned char>(text[i]));
    if (more < 0 || i + static_cast<std::size_t>(more) >= text.size()) return false;
    for (int k = 0; k < more; ++k) {
      if ((static_cast<unsigned char>(text[++i]) & 0xC0) != 0x80) return false;
    }
  }
  return true;
}

std::string from_latin1(std::string_view text) {
  std::string utf8;
  for (const char symbol : text) {
    const auto code = static_cast<unsigned char>(symbol);
    if (code < 0x80) {
      utf8 += symbol;
    } else {
      utf8 += static_cast<char>(0xC0 | code >> 6);
      utf8 += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return utf8;
}

}  // namespace

std::int64_t make_unique(std::vector<std::string>& names) {
  std::unordered_set<std::string> taken(names.begin(), names.end());
  if (taken.size() == names.size()) return 0;
  std::unordered_set<std::string> seen;
  std::unordered_map<std::string, std::int64_t> counts;
  std::int64_t renamed = 0;
  for (std::string& name : names) {
    if (seen.insert(name).second) continue;
    std::int64_t& count = counts[name];
    std::string fresh;
    do {
      fresh = name + "-" + std::to_string(++count);
    } while (!taken.insert(fresh).second);
    name = std::move(fresh);
    ++renamed;
  }
  return renamed;
}

std::int64_t make_utf8(std::vector<std::string>& names) {
  std::int64_t converted = 0;
  for (std::string& name : names) {
    if (is_utf8(name)) continue;
    name = from_latin1(name);
    ++converted;
  }
  return converted;
}

const std::string* first_repeated(const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> seen;
  seen.reserve(names.size());
  for (const std::string& name : names) {
    if (!seen.insert(name).second) return &name;
  }
  return nullptr;
}

NameIndex index_names(const std::vector<std::string>& names) {
  NameIndex index;
  index.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    index.try_emplace(names[i], static_cast<std::int32_t>(i));
  }
  return index;
}

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() > most ? text + ", ..." : text;
}

}  // namespace m2st::data
