#include "data/io/hdf5_handle.h"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "data/io/hdf5_lzf.h"
#include "data/io/input_file.h"

namespace m2st::data {

static_assert(std::is_same_v<hid_t, Hdf5Id>);

namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr std::int64_t kLargestUserBlock = 1 << 20;

// Locks as the library would, but only what another program holds counts: disks that know no locks
// (NFS, Lustre) are read without.
void refuse_when_written_to(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    fail(ExitCode::kInputMissing, path, ": cannot be read: ", std::strerror(errno));
  }
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  if (held) {
    fail(ExitCode::kInputMissing, path,
         ": is open for writing in another program; close it there (in Python: file.close()) and "
         "run again");
  }
}

Hdf5Handle access_properties() {
  Hdf5Handle properties =
      hdf5_owned(H5Pcreate(H5P_FILE_ACCESS), ExitCode::kInternal, "HDF5: no file access list");
  hdf5_checked(H5Pset_file_locking(properties.id(), 0, 1), ExitCode::kInternal,
               "HDF5: file locking cannot be set");
  // Objects left open would keep the file open after its handle is gone.
  hdf5_checked(H5Pset_fclose_degree(properties.id(), H5F_CLOSE_STRONG), ExitCode::kInternal,
               "HDF5: close degree cannot be set");
  return properties;
}

herr_t note_innermost(unsigned, const H5E_error2_t* error, void* reason) {
  if (error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

}  // namespace

bool Hdf5Handle::close() {
  const Hdf5Id id = std::exchange(id_, -1);
  return id < 0 || H5Idec_ref(id) >= 0;
}

void prepare_hdf5() {
  H5open();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  register_lzf_filter();
}

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, note_innermost, &reason);
  return reason.empty() ? "no reason given" : reason;
}

Hdf5Handle open_hdf5(const std::string& path, Hdf5Access access) {
  prepare_hdf5();
  if (access == Hdf5Access::kRead) refuse_when_written_to(path);
  const Hdf5Handle properties = access_properties();
  switch (access) {
    case Hdf5Access::kRead:
      return hdf5_owned(H5Fopen(path.c_str(), H5F_ACC_RDONLY, properties.id()),
                        ExitCode::kInputInvalid, path,
                        ": is cut short, damaged or no HDF5 file; copy or download it again");
    case Hdf5Access::kEdit:
      return hdf5_owned(H5Fopen(path.c_str(), H5F_ACC_RDWR, properties.id()), ExitCode::kOutput,
                        path, ": cannot be opened for writing");
    case Hdf5Access::kCreate:
      return hdf5_owned(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, properties.id()),
                        ExitCode::kOutput, path, ": cannot be created");
  }
  return {};
}

bool is_hdf5(const std::string& path) {
  const InputFile file(path);
  const auto bytes = static_cast<std::int64_t>(kSignature.size());
  // The format allows its signature at 0, 512, 1024, 2048, ...
  for (std::int64_t offset = 0; offset <= kLargestUserBlock && offset + bytes <= file.size();
       offset = offset == 0 ? 512 : 2 * offset) {
    std::string start(kSignature.size(), '\0');
    file.read(offset, start.data(), bytes);
    if (start == kSignature) return true;
  }
  return false;
}

}  // namespace m2st::data
