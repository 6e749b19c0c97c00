// A file to read from: opened once, its size known, every read complete or an error. What it holds
// is untrusted; that it exists and is a regular file is settled here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace m2st::data {

class InputFile {
 public:
  // Exit code 3 when the path is missing, a folder, not a regular file, or may not be read.
  explicit InputFile(std::string path);
  // A file that is in memory already, such as a member of an archive; `name` is for messages.
  InputFile(std::string name, std::string bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }
  bool starts_with(std::string_view magic) const;
  // Exactly `bytes` bytes from `offset`; any thread. Exit code 3 on a read error, 4 when the file
  // ends before that.
  void read(std::int64_t offset, void* target, std::int64_t bytes) const;

 private:
  std::string path_;
  std::string bytes_;  // in memory, when there is no descriptor
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

// A whole text file, unpacked when it is gzip. Exit code 3 as above; 4 when it is empty, damaged,
// not text, or unpacks to more than any table here can be (kLargestText).
std::string read_text(const std::string& path);

inline constexpr std::int64_t kLargestText = std::int64_t{16} << 30;

}  // namespace m2st::data
