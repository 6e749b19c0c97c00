#include "data/io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "engine/check.h"

namespace m2st::data {

namespace {

// Linux moves at most 2 GiB a call.
constexpr std::int64_t kLargestRead = std::int64_t{1} << 30;
constexpr int kUnpackPiece = 1 << 20;

std::string unpacked(const InputFile& file) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> stream(gzopen(file.path().c_str(), "rb"),
                                                          gzclose_r);
  if (!stream) fail(ExitCode::kInputMissing, file.path(), ": cannot be opened");
  std::string text;
  std::vector<char> piece(kUnpackPiece);
  int count = 0;
  while ((count = gzread(stream.get(), piece.data(), kUnpackPiece)) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (static_cast<std::int64_t>(text.size()) > kLargestText) {
      fail(ExitCode::kInputInvalid, file.path(), ": unpacks to more than ", kLargestText >> 30,
           " GiB, too much for a table of coordinates or labels");
    }
  }
  int status = Z_OK;
  const char* reason = gzerror(stream.get(), &status);
  if (count < 0 || (status != Z_OK && status != Z_STREAM_END)) {
    fail(ExitCode::kInputInvalid, file.path(), ": is damaged or cut short (gzip: ", reason,
         "); copy or download it again");
  }
  return text;
}

// What the first bytes say of files that are no text, with the way out.
void refuse_other_formats(const std::string& path, const std::string& text) {
  const auto starts = [&](std::string_view magic) {
    return text.compare(0, magic.size(), magic) == 0;
  };
  const char* what = nullptr;
  if (starts("\x89HDF\r\n\x1a\n")) what = "is an HDF5 file, not a text table";
  if (starts("PK\x03\x04")) what = "is a zip archive (.npz, .xlsx?), not a text table";
  if (starts("\x93NUMPY")) what = "is a .npy array, not a text table";
  if (starts("\xff\xfe") || starts("\xfe\xff")) what = "is UTF-16 text; save it as UTF-8";
  if (what == nullptr && text.find('\0') != std::string::npos) {
    what = "holds zero bytes, so it is no text table";
  }
  if (what != nullptr) fail(ExitCode::kInputInvalid, path, ": ", what);
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Without O_NONBLOCK opening a pipe would wait for a writer for ever.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    fail(ExitCode::kInputMissing, path_, ": cannot be read: ", std::strerror(errno));
  }
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    ::close(std::exchange(descriptor_, -1));
    fail(ExitCode::kInputMissing, path_, ": is ",
         known && S_ISDIR(status.st_mode) ? "a folder" : "not a regular file", ", need a file");
  }
  size_ = status.st_size;
}

InputFile::InputFile(std::string name, std::string bytes)
    : path_(std::move(name)),
      bytes_(std::move(bytes)),
      size_(static_cast<std::int64_t>(bytes_.size())) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::int64_t offset, void* target, std::int64_t bytes) const {
  char* to = static_cast<char*>(target);
  if (descriptor_ < 0 && offset + bytes <= size_) {
    std::copy_n(bytes_.data() + offset, bytes, to);
    return;
  }
  while (bytes > 0) {
    const ssize_t count =
        descriptor_ < 0 ? 0
                        : ::pread(descriptor_, to,
                                  static_cast<std::size_t>(std::min(bytes, kLargestRead)), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(ExitCode::kInputMissing, path_, ": read failed: ", std::strerror(errno));
    if (count == 0) {
      fail(ExitCode::kInputInvalid, path_, ": ends at byte ", offset, ", ", bytes,
           " bytes too early; it was cut short or is still being written");
    }
    to += count;
    offset += count;
    bytes -= count;
  }
}

bool InputFile::starts_with(std::string_view magic) const {
  std::string start(magic.size(), '\0');
  const auto bytes = static_cast<std::int64_t>(magic.size());
  if (size_ < bytes) return false;
  read(0, start.data(), bytes);
  return start == magic;
}

std::string read_text(const std::string& path) {
  const InputFile file(path);
  if (file.size() == 0) fail(ExitCode::kInputInvalid, path, ": is empty");
  if (file.size() > kLargestText) {
    fail(ExitCode::kInputInvalid, path, ": has ", file.size() >> 30,
         " GiB, too much for a table of coordinates or labels");
  }
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), file.size());
  if (text.compare(0, 2, "\x1f\x8b") == 0) text = unpacked(file);
  refuse_other_formats(path, text);
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) text.erase(0, 3);  // byte order mark
  return text;
}

}  // namespace m2st::data
