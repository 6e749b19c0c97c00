// Members of a zip archive, as NumPy's .npz has them: stored or deflated, zip64 where it is large.
// The archive is untrusted: every claim is checked against the file's size before memory is taken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/io/input_file.h"

namespace m2st::data {

class ZipArchive {
 public:
  // Exit code 3 when it cannot be read, 4 when it is no zip archive or damaged.
  explicit ZipArchive(const std::string& path);

  const std::string& path() const { return file_.path(); }
  std::vector<std::string> names() const;
  bool holds(const std::string& name) const;
  // The member unpacked and its checksum verified, as a file named "ARCHIVE/MEMBER". Exit code 4
  // when there is none, or it is damaged or packed in another way.
  InputFile open(const std::string& name) const;

 private:
  struct Member {
    std::string name;
    int method = 0;
    std::uint32_t checksum = 0;
    std::int64_t packed_bytes = 0;
    std::int64_t bytes = 0;
    std::int64_t header_offset = 0;
  };

  struct Directory {
    std::uint64_t members = 0, bytes = 0, offset = 0;
  };

  Directory find_directory() const;
  void read_directory();
  void read_entry(std::string_view& rest);
  [[noreturn]] void refuse(const std::string& reason) const;

  InputFile file_;
  std::vector<Member> members_;
};

// The bytes of an archive of (name, content), stored: the same bytes for the same content.
std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& members);

}  // namespace m2st::data
