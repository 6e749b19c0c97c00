// Files that are whole or absent (design.md section 3, promise 4): bytes go to a temporary file in
// the target's folder, every write is checked, the file is flushed to disk, re-opened and compared,
// and only then renamed over the target; the folder is flushed last.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/check.h"

namespace m2st {

// Exit code 8 on any failure; the temporary file is removed then and the target stays as it was.
void write_whole_file(const std::string& path, std::string_view bytes);
// The parts one after the other.
void write_whole_file(const std::string& path, std::span<const std::string_view> parts);

// For bytes that someone else writes (a library, another process): a private file beside `target`,
// empty at first, which commit() flushes and renames over it. Gone when it was not committed.
class PartialFile {
 public:
  // Exit code 8 when it cannot be created.
  explicit PartialFile(std::string target);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::string& path() const { return path_; }
  // Fills it with another file's bytes, sharing them on disks that can. Exit codes 3 and 8.
  void copy_from(const std::string& source);
  // The permissions of `other` in place of a new file's.
  void take_permissions_of(const std::string& other);
  void commit();

 private:
  std::string target_, path_;
  bool kept_ = false;
};

// All bytes of a regular file; fails with `code` and the system's reason when it cannot be read.
std::string read_whole_file(const std::string& path, ExitCode code);

}  // namespace m2st
