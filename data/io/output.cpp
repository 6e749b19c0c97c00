#include "data/io/output.h"

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "data/io/input_file.h"
#include "engine/check.h"
#include "engine/running_hash.h"
#include "engine/whole_file.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kHashPiece = 1 << 20;

std::string hexadecimal(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

[[noreturn]] void folder_failure(const std::string& path, const std::string& reason) {
  fail(ExitCode::kOutput, "output: cannot use folder ", path, ": ", reason);
}

}  // namespace

void write_whole(const std::string& path, std::string_view bytes) { write_whole_file(path, bytes); }

void prepare_output_folder(const std::string& path, bool force) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (path.empty()) folder_failure("''", "its name is empty");
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    folder_failure(path, "it is a file; choose another name");
  }
  fs::create_directories(path, error);
  if (error) folder_failure(path, error.message());
  const bool empty = fs::is_empty(path, error);
  if (error) folder_failure(path, error.message());
  if (!empty && !force) {
    folder_failure(path, "it exists and is not empty; choose another or give --force");
  }
  std::string probe = (fs::path(path) / ".m2st-writable-XXXXXX").string();
  const int file = ::mkstemp(probe.data());
  if (file < 0) folder_failure(path, concat("not writable: ", std::strerror(errno)));
  ::close(file);
  ::unlink(probe.c_str());
}

std::string file_hash(const std::string& path) {
  const InputFile file(path);
  RunningHash hash;
  std::vector<char> piece(static_cast<std::size_t>(std::min(file.size(), kHashPiece)));
  for (std::int64_t done = 0; done < file.size(); done += kHashPiece) {
    const std::int64_t bytes = std::min(kHashPiece, file.size() - done);
    file.read(done, piece.data(), bytes);
    hash.add(piece.data(), static_cast<std::size_t>(bytes));
  }
  return hexadecimal(hash.digest());
}

std::string bytes_hash(std::string_view bytes) {
  return hexadecimal(XXH3_128bits(bytes.data(), bytes.size()));
}

}  // namespace m2st::data
