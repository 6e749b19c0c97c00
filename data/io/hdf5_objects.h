// The library side of reading: describes objects and reads values of a file that is open in this
// process. Damaged files crash the library, so only a process that may die calls this
// (data/io/hdf5_server.h).
#pragma once

#include <string>
#include <vector>

#include "data/io/hdf5_handle.h"
#include "data/io/hdf5_object.h"

namespace m2st::data {

class Hdf5Reader {
 public:
  // Exit codes as open_hdf5's.
  explicit Hdf5Reader(const std::string& path);

  // Exit code 4 when something is there that the library cannot open.
  Hdf5Object describe(const std::string& object);

  // Rows [first, first + count) of a dataset, all other dimensions in full, or of one field of a
  // compound dataset (`member`, else ""). T: double or int64; the library converts and clamps.
  template <class T>
  std::vector<T> numbers(const std::string& dataset, const std::string& member, std::int64_t first,
                         std::int64_t count);
  std::vector<std::string> texts(const std::string& dataset, const std::string& member,
                                 std::int64_t first, std::int64_t count);

 private:
  // Kept open from piece to piece, for its cache of chunks.
  Hdf5Id open_dataset(const std::string& dataset);
  void read(const std::string& dataset, Hdf5Id memory_type, std::int64_t first, std::int64_t count,
            void* target);

  std::string path_;
  Hdf5Handle file_;
  std::string dataset_path_;
  Hdf5Handle dataset_;
};

}  // namespace m2st::data
