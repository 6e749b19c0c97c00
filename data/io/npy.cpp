#include "data/io/npy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "data/io/input_file.h"
#include "data/io/npy_type.h"
#include "engine/check.h"
#include "engine/parallel.h"

namespace m2st::data {

namespace {

// Elements a thread reads and converts at a time: its buffer stays in the second-level cache.
constexpr std::int64_t kElementsPerRead = 1 << 16;
// Rows of a Fortran-order array that are gathered together: 4 KiB a read and column for float32.
constexpr std::int64_t kRowsPerGather = 1024;

struct Half {
  std::uint16_t bits;
};

float widen(Half half) {
  const std::uint32_t sign = (half.bits & 0x8000u) << 16;
  const std::uint32_t exponent = half.bits >> 10 & 0x1Fu;
  const std::uint32_t fraction = half.bits & 0x3FFu;
  if (exponent == 0) {  // zero and subnormal: fraction · 2^-24, exact in float
    const float magnitude = static_cast<float>(fraction) * 0x1.0p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 0xFFu : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class Source>
Source load(const unsigned char* bytes, bool swapped) {
  unsigned char local[sizeof(Source)];
  std::memcpy(local, bytes, sizeof(Source));
  if (swapped) std::reverse(local, local + sizeof(Source));
  return std::bit_cast<Source>(local);
}

// False when the value has no counterpart in an integer type; floats take everything.
template <class T, class Source>
bool convert(Source source, T& out) {
  if constexpr (std::is_floating_point_v<T>) {
    out = static_cast<T>(source);
    return true;
  } else if constexpr (std::is_integral_v<Source>) {
    out = static_cast<T>(source);
    return std::in_range<T>(source);
  } else {
    // Both bounds are powers of two, exact as floats; NaN fails both comparisons.
    const double value = source;
    constexpr double kBound = -static_cast<double>(std::numeric_limits<T>::min());
    if (!(value >= -kBound && value < kBound) || std::floor(value) != value) return false;
    out = static_cast<T>(value);
    return true;
  }
}

// out[i · stride] = element i of `bytes`; false when any does not fit.
template <class Source, class T>
bool decode_as(const unsigned char* bytes, std::int64_t count, bool swapped, T* out,
               std::int64_t stride) {
  bool fits = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const Source source =
        load<Source>(bytes + i * static_cast<std::int64_t>(sizeof(Source)), swapped);
    if constexpr (std::is_same_v<Source, Half>) {
      fits &= convert(widen(source), out[i * stride]);
    } else {
      fits &= convert(source, out[i * stride]);
    }
  }
  return fits;
}

template <class T>
bool decode(NpyType type, const unsigned char* bytes, std::int64_t count, T* out,
            std::int64_t stride) {
  switch (type.kind * 16 + type.bytes) {
    case 'b' * 16 + 1:
    case 'u' * 16 + 1:
      return decode_as<std::uint8_t>(bytes, count, false, out, stride);
    case 'u' * 16 + 2:
      return decode_as<std::uint16_t>(bytes, count, type.swapped, out, stride);
    case 'u' * 16 + 4:
      return decode_as<std::uint32_t>(bytes, count, type.swapped, out, stride);
    case 'u' * 16 + 8:
      return decode_as<std::uint64_t>(bytes, count, type.swapped, out, stride);
    case 'i' * 16 + 1:
      return decode_as<std::int8_t>(bytes, count, false, out, stride);
    case 'i' * 16 + 2:
      return decode_as<std::int16_t>(bytes, count, type.swapped, out, stride);
    case 'i' * 16 + 4:
      return decode_as<std::int32_t>(bytes, count, type.swapped, out, stride);
    case 'i' * 16 + 8:
      return decode_as<std::int64_t>(bytes, count, type.swapped, out, stride);
    case 'f' * 16 + 2:
      return decode_as<Half>(bytes, count, type.swapped, out, stride);
    case 'f' * 16 + 4:
      return decode_as<float>(bytes, count, type.swapped, out, stride);
    default:
      return decode_as<double>(bytes, count, type.swapped, out, stride);
  }
}

// A piece of the file as it was read, reused from piece to piece.
class Piece {
 public:
  Piece(const InputFile& file, const NpyHeader& header, NpyType type)
      : file_(file), offset_(header.data_offset), type_(type) {}

  template <class T>
  void read(std::int64_t first, std::int64_t count, T* out, std::int64_t stride) {
    buffer_.resize(static_cast<std::size_t>(count * type_.bytes));
    file_.read(offset_ + first * type_.bytes, buffer_.data(), count * type_.bytes);
    if (!decode(type_, buffer_.data(), count, out, stride)) {
      fail(ExitCode::kInputInvalid, file_.path(), ": holds a value that is not an integer of ",
           8 * sizeof(T), " bits, between elements ", first, " and ", first + count - 1);
    }
  }

 private:
  const InputFile& file_;
  std::int64_t offset_;
  NpyType type_;
  std::vector<unsigned char> buffer_;
};

template <class T>
constexpr const char* type_name() {
  if constexpr (std::is_same_v<T, float>) return "<f4";
  if constexpr (std::is_same_v<T, double>) return "<f8";
  if constexpr (std::is_same_v<T, std::int32_t>) return "<i4";
  if constexpr (std::is_same_v<T, std::int64_t>) return "<i8";
}

}  // namespace

template <class T>
Matrix<T> read_npy(CpuContext& context, const std::string& path) {
  return read_npy<T>(context, InputFile(path));
}

template <class T>
Matrix<T> read_npy(CpuContext& context, const InputFile& file) {
  const std::string& path = file.path();
  const NpyHeader header = read_npy_header(file);
  const NpyType type = parse_npy_type(path, header.type);
  if (header.shape.empty() || header.shape.size() > 2) {
    fail(ExitCode::kInputInvalid, path, ": is an array of ", header.shape.size(),
         " dimensions, need 2 (or 1); save it again with numpy.save(file, a.reshape(len(a), -1))");
  }
  const std::int64_t rows = header.shape[0];
  const std::int64_t cols = header.shape.size() == 2 ? header.shape[1] : 1;
  Matrix<T> out(context.pool(), rows, cols);
  if (header.fortran_order && cols > 1) {
    parallel_for(context, rows, kRowsPerGather, [&](std::int64_t begin, std::int64_t end) {
      Piece piece(file, header, type);
      for (std::int64_t c = 0; c < cols; ++c) {
        piece.read(c * rows + begin, end - begin, out.data() + begin * cols + c, cols);
      }
    });
  } else {
    parallel_for(context, out.size(), kElementsPerRead, [&](std::int64_t begin, std::int64_t end) {
      Piece(file, header, type).read(begin, end - begin, out.data() + begin, 1);
    });
  }
  return out;
}

template <class T>
std::string npy_bytes(MatrixView<const T> x, bool one_dimensional) {
  std::string header =
      concat("{'descr': '", type_name<T>(), "', 'fortran_order': False, 'shape': (");
  header += one_dimensional ? concat(x.size(), ",), }") : concat(x.rows, ", ", x.cols, "), }");
  const std::size_t unpadded = 10 + header.size() + 1;  // magic, version, length; final newline
  header.append((64 - unpadded % 64) % 64, ' ');        // NumPy aligns the data to 64 bytes
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  if (x.size() > 0) {
    bytes.append(reinterpret_cast<const char*>(x.data),
                 static_cast<std::size_t>(x.size()) * sizeof(T));
  }
  return bytes;
}

#define INSTANTIATE(T)                                             \
  template Matrix<T> read_npy<T>(CpuContext&, const std::string&); \
  template Matrix<T> read_npy<T>(CpuContext&, const InputFile&);   \
  template std::string npy_bytes<T>(MatrixView<const T>, bool);
INSTANTIATE(float)
INSTANTIATE(double)
INSTANTIATE(std::int32_t)
INSTANTIATE(std::int64_t)
#undef INSTANTIATE

}  // namespace m2st::data
