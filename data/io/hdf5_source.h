// An HDF5 file to read from, through a process of its own: whatever a damaged file does to the
// library, the caller gets values or an error with an exit code. What comes back is checked for
// claims the file cannot keep; that numbers make sense is the caller's to check.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/io/hdf5_object.h"
#include "data/io/message.h"
#include "engine/view.h"

namespace m2st::data {

class Hdf5Source {
 public:
  // Exit codes: 3 missing or in use, 4 cut short, damaged or no HDF5. Forks: the caller's other
  // threads must not be inside the HDF5 library.
  explicit Hdf5Source(std::string path);
  ~Hdf5Source();
  Hdf5Source(const Hdf5Source&) = delete;
  Hdf5Source& operator=(const Hdf5Source&) = delete;

  const std::string& path() const { return path_; }
  // "/obs/domain": what lies there, kAbsent when nothing does. Asked once a path. Exit code 4.
  const Hdf5Object& object(const std::string& object);

  // All values of a dataset in C order, or of a compound's field. T: double or int64. Exit code 4
  // when it is no such dataset.
  template <class T>
  std::vector<T> numbers(const std::string& dataset, const std::string& member = "");
  std::vector<std::string> texts(const std::string& dataset, const std::string& member = "");

  // The same in pieces of whole rows, of a few MiB each: visit(first row, values).
  template <class T>
  void for_each_piece(const std::string& dataset, const std::string& member,
                      const std::function<void(std::int64_t, Span<const T>)>& visit);

 private:
  const Hdf5Object& readable(const std::string& dataset, const std::string& member, bool text);
  std::int64_t rows_a_piece(const Hdf5Object& object, std::int64_t row_bytes) const;
  std::string ask(const std::string& question, const std::string& about, std::int64_t bytes);
  void receive(char* to, std::size_t bytes, const std::string& about, int milliseconds);
  void check_claims(const std::string& name, const Hdf5Object& object) const;
  void stop();
  [[noreturn]] void died(const std::string& about);
  [[noreturn]] void hung(const std::string& about, int milliseconds);

  std::string path_;
  std::int64_t file_bytes_ = 0;
  int socket_ = -1;
  int process_ = -1;
  std::map<std::string, Hdf5Object> objects_;
};

}  // namespace m2st::data
