// Staging, locking and the final renames; data/io/output.h writes each single file.
#include "apps/pipeline/output_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "data/io/output.h"
#include "engine/check.h"

namespace m2st::apps {

namespace fs = std::filesystem;

OutputFolder::OutputFolder(std::string path, bool force) : path_(std::move(path)) {
  std::error_code ignored;
  created_ = !fs::exists(path_, ignored);
  data::prepare_output_folder(path_, force);
  try {
    lock();
    fs::remove_all(staging());  // what a killed run left
  } catch (const fs::filesystem_error& error) {
    if (descriptor_ >= 0) ::close(descriptor_);
    fail(ExitCode::kOutput, path_, ": cannot be written to: ", error.code().message());
  }
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;
  fs::remove_all(staging(), ignored);
  for (const std::string& folder : folders_) ::rmdir(folder.c_str());  // empty ones only
  if (created_) ::rmdir(path_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFolder::lock() {
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // File systems without locks answer otherwise; then the lock is left out.
  if (descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(descriptor_);
    fail(ExitCode::kOutput, path_, ": another m2st is writing to this folder; wait or use another");
  }
}

std::string OutputFolder::make_folder(const std::string& name) {
  std::error_code error;
  fs::create_directories(path(name), error);
  if (error) fail(ExitCode::kOutput, path(name), ": cannot be created: ", error.message());
  folders_.push_back(path(name));
  return path(name);
}

std::string OutputFolder::staged(const std::string& name) {
  std::error_code error;
  fs::create_directories(staging(), error);
  if (error) fail(ExitCode::kOutput, staging(), ": cannot be created: ", error.message());
  return staging() + "/" + name;
}

void OutputFolder::adopt(const std::string& name) {
  const std::string path = staged(name);
  files_.push_back({name, static_cast<std::int64_t>(fs::file_size(path)), data::file_hash(path)});
}

void OutputFolder::write(const std::string& name, std::string_view bytes) {
  data::write_whole(staged(name), bytes);
  files_.push_back({name, static_cast<std::int64_t>(bytes.size()), data::bytes_hash(bytes)});
}

void OutputFolder::commit() {
  // Everything that can be known to fail is found before the first old file is replaced.
  for (const OutputFile& file : files_) {
    std::error_code ignored;
    if (fs::is_directory(path(file.name), ignored)) {
      fail(
          ExitCode::kOutput, path(file.name),
          ": cannot be put there: a folder has this name; remove it or use another -o. Nothing in ",
          path_, " was replaced");
    }
  }
  for (const OutputFile& file : files_) {
    std::error_code error;
    fs::rename(staging() + "/" + file.name, path(file.name), error);
    if (error) fail(ExitCode::kOutput, path(file.name), ": cannot be put there: ", error.message());
  }
  if (descriptor_ >= 0) ::fsync(descriptor_);
}

}  // namespace m2st::apps
