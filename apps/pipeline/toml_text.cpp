#include "apps/pipeline/toml_text.h"

#include <algorithm>

namespace m2st::apps {

namespace {

constexpr char kMark = '~';
constexpr std::string_view kDigits = "0123456789ABCDEF";
constexpr std::string_view kByteOrder = "\xef\xbb\xbf";

// The byte that is written as kMark and two digits at `place`; -1 where none is.
int byte_at(std::string_view text, std::size_t place) {
  if (place + 2 >= text.size()) return -1;
  const std::size_t high = kDigits.find(text[place + 1]), low = kDigits.find(text[place + 2]);
  const bool digits = high != std::string_view::npos && low != std::string_view::npos;
  return text[place] == kMark && digits ? static_cast<int>(16 * high + low) : -1;
}

char lower(char symbol) { return symbol >= 'A' && symbol <= 'Z' ? symbol + ('a' - 'A') : symbol; }

}  // namespace

std::string in_ascii(std::string_view text) {
  if (text.starts_with(kByteOrder)) text.remove_prefix(kByteOrder.size());
  std::string ascii;
  for (const char symbol : text) {
    const auto code = static_cast<unsigned char>(symbol);
    if (code < 0x80 && symbol != kMark) {
      ascii += symbol;
    } else {
      ascii += {kMark, kDigits[code >> 4], kDigits[code & 15]};
    }
  }
  return ascii;
}

std::string from_ascii(std::string_view text) {
  std::string original;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = byte_at(text, i);
    original += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return original;
}

int line_of_escaped_tilde(std::string_view text) {
  std::string lowered(text);
  std::transform(text.begin(), text.end(), lowered.begin(), lower);
  const std::size_t place = std::min(lowered.find("\\u007e"), lowered.find("\\u0000007e"));
  if (place == std::string::npos) return 0;
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + place, '\n'));
}

}  // namespace m2st::apps
