// What every use of the HDF5 library shares: owners of its ids, files opened so that it works on
// network disks, its own error printing off, and h5py's lzf filter. The library is called from one
// thread at a time; whoever calls it includes <hdf5.h> in a source file, never in a header.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/check.h"

namespace m2st::data {

using Hdf5Id = std::int64_t;  // the library's hid_t

// Owns one id of any kind: file, group, dataset, type, space, attribute, property list.
class Hdf5Handle {
 public:
  Hdf5Handle() = default;
  explicit Hdf5Handle(Hdf5Id id) : id_(id) {}
  ~Hdf5Handle() { close(); }
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    if (this != &other) {
      close();
      id_ = std::exchange(other.id_, -1);
    }
    return *this;
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;

  Hdf5Id id() const { return id_; }
  bool valid() const { return id_ >= 0; }
  // False when the library could not; of files it may say yes on a full disk (flush and re-open).
  bool close();

 private:
  Hdf5Id id_ = -1;
};

// Before the first call of the library; again does nothing.
void prepare_hdf5();

// What the library says went wrong in the call before this one, in its innermost words.
std::string hdf5_reason();

// The id that a call gave, or an error of these parts and the library's reason.
template <class... Parts>
Hdf5Handle hdf5_owned(Hdf5Id id, ExitCode code, const Parts&... parts) {
  if (id >= 0) return Hdf5Handle(id);
  const std::string reason = hdf5_reason();
  fail(code, parts..., " (HDF5: ", reason, ")");
}

// The same for calls that give a status, negative when they failed.
template <class... Parts>
int hdf5_checked(int status, ExitCode code, const Parts&... parts) {
  if (status >= 0) return status;
  const std::string reason = hdf5_reason();
  fail(code, parts..., " (HDF5: ", reason, ")");
}

enum class Hdf5Access { kRead, kEdit, kCreate };

// kCreate: a new file, an old one of that name is replaced. Exit codes: to read, 3 when it cannot
// be opened or another program is writing to it, 4 when it is no sound HDF5 file; otherwise 8.
Hdf5Handle open_hdf5(const std::string& path, Hdf5Access access);

// Whether the first bytes are HDF5's (a user block before them is looked past).
bool is_hdf5(const std::string& path);

}  // namespace m2st::data
