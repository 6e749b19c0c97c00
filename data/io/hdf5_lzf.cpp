// Client data of the filter, as h5py writes it: its revision, liblzf's version, bytes of a chunk.
#include "data/io/hdf5_lzf.h"

#include <hdf5.h>
#include <liblzf/lzf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace m2st::data {

namespace {

constexpr H5Z_filter_t kLzf = 32000;
constexpr unsigned kRevision = 4;
// The most that one compressed byte can stand for: 264 bytes out of a reference of 3.
constexpr std::size_t kLargestExpansion = 88;

// Gives memory of the library's own kind, because it frees what a filter hands over with free().
std::size_t unpack(std::size_t packed_bytes, std::size_t expected, std::size_t* buffer_bytes,
                   void** buffer) {
  const std::size_t most = packed_bytes * kLargestExpansion + 1;
  for (std::size_t size = std::clamp<std::size_t>(expected, 1, most);;
       size = std::min(2 * size, most)) {
    void* unpacked = std::malloc(size);
    if (unpacked == nullptr) return 0;
    const unsigned bytes = lzf_decompress(*buffer, static_cast<unsigned>(packed_bytes), unpacked,
                                          static_cast<unsigned>(size));
    if (bytes > 0) {
      std::free(*buffer);
      *buffer = unpacked;
      *buffer_bytes = size;
      return bytes;
    }
    std::free(unpacked);
    if (errno != E2BIG || size == most) return 0;
  }
}

// 0, which makes the library store the chunk as it is, when packing gains nothing.
std::size_t pack(std::size_t bytes, std::size_t* buffer_bytes, void** buffer) {
  void* packed = std::malloc(bytes);
  if (packed == nullptr) return 0;
  const unsigned packed_bytes =
      lzf_compress(*buffer, static_cast<unsigned>(bytes), packed, static_cast<unsigned>(bytes));
  if (packed_bytes == 0) {
    std::free(packed);
    return 0;
  }
  std::free(*buffer);
  *buffer = packed;
  *buffer_bytes = bytes;
  return packed_bytes;
}

std::size_t filter(unsigned flags, std::size_t value_count, const unsigned* values,
                   std::size_t bytes, std::size_t* buffer_bytes, void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0) return pack(bytes, buffer_bytes, buffer);
  const std::size_t expected = value_count >= 3 && values[2] != 0 ? values[2] : *buffer_bytes;
  return unpack(bytes, expected, buffer_bytes, buffer);
}

herr_t note_chunk(hid_t properties, hid_t type, hid_t) {
  std::array<hsize_t, H5S_MAX_RANK> sides{};
  const int rank = H5Pget_chunk(properties, H5S_MAX_RANK, sides.data());
  if (rank < 0) return -1;
  std::size_t bytes = H5Tget_size(type);
  for (int i = 0; i < rank; ++i) bytes *= static_cast<std::size_t>(sides[i]);
  const std::array<unsigned, 3> values = {kRevision, LZF_VERSION, static_cast<unsigned>(bytes)};
  return H5Pmodify_filter(properties, kLzf, H5Z_FLAG_OPTIONAL, values.size(), values.data());
}

}  // namespace

void register_lzf_filter() {
  static_assert(H5Z_CLASS_T_VERS == 1);
  if (H5Zfilter_avail(kLzf) > 0) return;
  const H5Z_class2_t lzf = {H5Z_CLASS_T_VERS, kLzf, 1, 1, "lzf", nullptr, note_chunk, filter};
  H5Zregister(&lzf);
}

}  // namespace m2st::data
