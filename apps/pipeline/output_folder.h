// A run's results as one: files are staged inside the folder and all moved into place at the end,
// so that a run which fails leaves the folder as it was. One process at a time writes to a folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace m2st::apps {

struct OutputFile {
  std::string name;
  std::int64_t bytes = 0;
  std::string hash;
};

class OutputFolder {
 public:
  // Creates the folder; one that holds files is taken with `force` only. Exit code 8 otherwise, or
  // when another process writes to it.
  OutputFolder(std::string path, bool force);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  // A sub-folder for files that are written on their own, such as checkpoints.
  std::string make_folder(const std::string& name);
  void write(const std::string& name, std::string_view bytes);
  // A place for a file that someone else writes, whole and verified; adopt() makes it one of these.
  std::string staged(const std::string& name);
  void adopt(const std::string& name);
  void commit();
  const std::vector<OutputFile>& files() const { return files_; }

 private:
  void lock();
  std::string staging() const { return path(".partial"); }

  std::string path_;
  bool created_ = false;
  int descriptor_ = -1;  // of the folder: holds the lock
  std::vector<std::string> folders_;
  std::vector<OutputFile> files_;
};

}  // namespace m2st::apps
