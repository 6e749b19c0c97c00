#include "engine/whole_file.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace m2st {

namespace {

// Linux moves at most 2 GiB a call; smaller pieces keep the comparison's buffer small too.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr int kNameAttempts = 100;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  // False when the system could not complete what was written.
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

// Removes the temporary file unless it has become the target.
struct Temporary {
  std::string path;
  bool kept = false;
  ~Temporary() {
    if (!kept && !path.empty()) ::unlink(path.c_str());
  }
};

[[noreturn]] void output_failure(const std::string& path, const char* what, int error) {
  fail(ExitCode::kOutput, "output: cannot ", what, " ", path, ": ", std::strerror(error),
       "; nothing was left behind, check the folder's permissions and free space");
}

int create_beside(const std::string& target, Temporary& temporary) {
  const std::filesystem::path path(target);
  const std::string stem = "." + path.filename().string() + "." + std::to_string(::getpid());
  int error = EEXIST;
  for (int attempt = 0; attempt < kNameAttempts && error == EEXIST; ++attempt) {
    const std::string name = stem + "." + std::to_string(attempt) + ".partial";
    const std::string candidate = (path.parent_path() / name).string();
    const int file = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) {
      temporary.path = candidate;
      return file;
    }
    error = errno;
  }
  output_failure(target, "create a temporary file for", error);
}

void write_all(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), std::min(bytes.size(), kPieceBytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) output_failure(path, "write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Reads up to size bytes; fewer only at the end of the file, negative on an error.
ssize_t read_piece(int file, char* buffer, std::size_t size) {
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::read(file, buffer + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(filled);
}

// Whether the file goes on with these bytes.
bool goes_on_with(int file, std::string_view bytes, std::vector<char>& buffer,
                  const std::string& path) {
  while (!bytes.empty()) {
    const std::size_t wanted = std::min(bytes.size(), buffer.size());
    const ssize_t count = read_piece(file, buffer.data(), wanted);
    if (count < 0) output_failure(path, "re-read", errno);
    if (static_cast<std::size_t>(count) < wanted) return false;
    if (std::memcmp(buffer.data(), bytes.data(), wanted) != 0) return false;
    bytes.remove_prefix(wanted);
  }
  return true;
}

void verify(const Temporary& temporary, std::span<const std::string_view> parts,
            const std::string& path) {
  const Descriptor file(::open(temporary.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) output_failure(path, "re-open", errno);
  std::vector<char> buffer(kPieceBytes);
  const bool same = std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return goes_on_with(file.get(), part, buffer, path);
  });
  if (!same || read_piece(file.get(), buffer.data(), 1) != 0) {
    fail(ExitCode::kOutput, "output: ", path, " reads back differently from what was written; ",
         "the disk may be failing, nothing was left behind");
  }
}

// A rename survives a power failure only once its folder is on disk. Some file systems cannot flush
// a folder and say EINVAL; there is nothing better to do there.
void flush_folder(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return;
  if (::fsync(file.get()) != 0 && errno != EINVAL) output_failure(path, "flush", errno);
}

}  // namespace

void write_whole_file(const std::string& path, std::string_view bytes) {
  write_whole_file(path, std::span(&bytes, 1));
}

void write_whole_file(const std::string& path, std::span<const std::string_view> parts) {
  Temporary temporary;
  Descriptor file(create_beside(path, temporary));
  for (const std::string_view part : parts) write_all(file.get(), part, path);
  if (::fsync(file.get()) != 0) output_failure(path, "flush", errno);
  if (!file.close()) output_failure(path, "close", errno);
  verify(temporary, parts, path);
  if (::rename(temporary.path.c_str(), path.c_str()) != 0) {
    output_failure(path, "rename the temporary file to", errno);
  }
  temporary.kept = true;
  flush_folder(path);
}

PartialFile::PartialFile(std::string target) : target_(std::move(target)) {
  Temporary temporary;
  ::close(create_beside(target_, temporary));
  temporary.kept = true;
  path_ = temporary.path;
}

PartialFile::~PartialFile() {
  if (!kept_) ::unlink(path_.c_str());
}

void PartialFile::copy_from(const std::string& source) {
  const Descriptor from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (from.get() < 0 || ::fstat(from.get(), &status) != 0) {
    fail(ExitCode::kInputMissing, source, ": cannot be read: ", std::strerror(errno));
  }
  Descriptor to(::open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (to.get() < 0) output_failure(target_, "write", errno);
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  bool shares = true;
  for (off_t done = 0; done < status.st_size;) {
    ssize_t count = shares ? ::copy_file_range(from.get(), nullptr, to.get(), nullptr, kPiece, 0)
                           : ::sendfile(to.get(), from.get(), nullptr, kPiece);
    if (count < 0 && errno == EINTR) continue;
    const bool cannot = errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
    if (count < 0 && shares && cannot) {
      shares = false;
      continue;
    }
    if (count < 0) output_failure(target_, "write", errno);
    if (count == 0) fail(ExitCode::kInputInvalid, source, ": became shorter while it was copied");
    done += count;
  }
  if (!to.close()) output_failure(target_, "close", errno);
}

void PartialFile::take_permissions_of(const std::string& other) {
  struct stat status {};
  if (::stat(other.c_str(), &status) == 0) ::chmod(path_.c_str(), status.st_mode & 07777);
}

void PartialFile::commit() {
  Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0 || !file.close()) {
    output_failure(target_, "flush", errno);
  }
  if (::rename(path_.c_str(), target_.c_str()) != 0) {
    output_failure(target_, "rename the temporary file to", errno);
  }
  kept_ = true;
  flush_folder(target_);
}

std::string read_whole_file(const std::string& path, ExitCode code) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    fail(code, path, ": ", std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) fail(code, path, ": is not a file");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t count = read_piece(file.get(), bytes.data(), bytes.size());
  if (count < 0) fail(code, path, ": ", std::strerror(errno));
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace m2st
