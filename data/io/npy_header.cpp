// The header of .npy: a Python dictionary literal. Only what NumPy writes is understood; anything
// else is refused, because a guess here would turn into wrong numbers later.

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>

#include "data/io/input_file.h"
#include "data/io/npy.h"
#include "data/io/npy_type.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

// NumPy itself refuses headers above 10,000 bytes unless told otherwise.
constexpr std::int64_t kLargestHeader = 1 << 20;
constexpr std::int64_t kLargestSide = std::numeric_limits<std::int32_t>::max();

class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.type = type();
        has_type_ = true;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        has_order_ = true;
      } else if (key == "shape") {
        header.shape = shape();
        has_shape_ = true;
      } else {
        damaged();
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!text_.empty() || !has_type_ || !has_order_ || !has_shape_) damaged();
    return header;
  }

 private:
  [[noreturn]] void damaged() const {
    fail(ExitCode::kInputInvalid, path_,
         ": its .npy header is damaged; save it again with numpy.save(file, array)");
  }
  void skip_blanks() {
    const std::size_t count = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(std::min(count, text_.size()));
  }
  bool accept(char symbol) {
    skip_blanks();
    if (text_.empty() || text_.front() != symbol) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char symbol) {
    if (!accept(symbol)) damaged();
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  std::string quoted() {
    skip_blanks();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) damaged();
    const std::size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) damaged();
    const std::string content(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return content;
  }
  std::string type() {
    skip_blanks();
    if (text_.starts_with('[') || text_.starts_with('(')) {
      fail(ExitCode::kInputInvalid, path_, ": is a structured array (named fields), need a plain ",
           "numeric one; save its columns with numpy.save(file, numpy.column_stack([a['x'], ",
           "a['y']]).astype(float))");
    }
    return quoted();
  }
  bool boolean() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) damaged();
    return false;
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sides;
    expect('(');
    while (!accept(')')) {
      sides.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sides;
  }
  std::int64_t number() {
    skip_blanks();
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
      if (value > (std::numeric_limits<std::int64_t>::max() - 9) / 10) damaged();
      value = value * 10 + (text_[digits] - '0');
    }
    if (digits == 0) damaged();
    text_.remove_prefix(digits);
    if (text_.starts_with('L')) text_.remove_prefix(1);  // Python 2 wrote 60L
    return value;
  }

  const std::string& path_;
  std::string_view text_;
  bool has_type_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

[[noreturn]] void refuse_type(const std::string& path, const std::string& type) {
  const bool object = type.find('O') != std::string::npos;
  fail(ExitCode::kInputInvalid, path, ": holds ", object ? "Python objects" : "values",
       " of type '", type, "', need bool, integers or floats; save it again with numpy.save(file, ",
       object ? "numpy.array(a.tolist(), dtype=numpy.float32))" : "a.astype(numpy.float32))");
}

// Every claim of the header against what the file holds.
void check_size(const InputFile& file, const NpyHeader& header, std::int64_t item_bytes) {
  const std::int64_t available = file.size() - header.data_offset;
  bool empty = false;
  for (const std::int64_t side : header.shape) empty = empty || side == 0;
  std::int64_t bytes = empty ? 0 : item_bytes;
  for (const std::int64_t side : header.shape) {
    if (empty ? side > kLargestSide : bytes > available / side) {
      fail(ExitCode::kInputInvalid, file.path(),
           ": is cut short or damaged: its header claims more", " values than its ", file.size(),
           " bytes can hold; copy or save it again");
    }
    bytes *= empty ? 1 : side;
  }
  if (bytes != available) {
    fail(ExitCode::kInputInvalid, file.path(), ": has ", available - bytes, " bytes more than its ",
         "header says; it is damaged or holds several arrays, save one array a file");
  }
}

}  // namespace

NpyType parse_npy_type(const std::string& path, const std::string& type) {
  const std::size_t first =
      !type.empty() && std::string_view("<>|=").find(type[0]) != std::string_view::npos;
  if (type.size() != first + 2) refuse_type(path, type);
  const char kind = type[first];
  const int bytes = type[first + 1] - '0';
  const bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  const bool known = (kind == 'b' && bytes == 1) || ((kind == 'i' || kind == 'u') && power) ||
                     (kind == 'f' && power && bytes != 1);
  if (!known) refuse_type(path, type);
  static_assert(std::endian::native == std::endian::little);
  return {kind, bytes, type[0] == '>' && bytes > 1};
}

NpyHeader read_npy_header(const InputFile& file) {
  const std::string& path = file.path();
  if (file.size() == 0) fail(ExitCode::kInputInvalid, path, ": is empty");
  unsigned char start[12] = {};
  const std::int64_t start_bytes = std::min<std::int64_t>(file.size(), 12);
  file.read(0, start, start_bytes);
  const std::string_view found(reinterpret_cast<const char*>(start),
                               static_cast<std::size_t>(std::min<std::int64_t>(start_bytes, 6)));
  if (found != kNpyMagic.substr(0, found.size())) {
    fail(ExitCode::kInputInvalid, path,
         ": is not a .npy file (its first bytes are not \\x93NUMPY); save the array with "
         "numpy.save");
  }
  const int version = start[6];
  const std::int64_t length_end = version == 1 ? 10 : 12;
  if (start_bytes < length_end) fail(ExitCode::kInputInvalid, path, ": is cut short in its header");
  if (version < 1 || version > 3 || start[7] != 0) {
    fail(ExitCode::kInputInvalid, path, ": .npy version ", version, ".", int{start[7]},
         " is unknown (need 1.0, 2.0 or 3.0)");
  }
  std::int64_t length = start[8] | start[9] << 8;
  if (version > 1) length |= std::int64_t{start[10]} << 16 | std::int64_t{start[11]} << 24;
  if (length > kLargestHeader || length > file.size() - length_end) {
    fail(ExitCode::kInputInvalid, path, ": is cut short or damaged: its header claims ", length,
         " bytes, the file has ", file.size());
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(length_end, text.data(), length);
  NpyHeader header = HeaderParser(path, text).parse();
  header.data_offset = length_end + length;
  check_size(file, header, parse_npy_type(path, header.type).bytes);
  return header;
}

NpyHeader read_npy_header(const std::string& path) { return read_npy_header(InputFile(path)); }

}  // namespace m2st::data
