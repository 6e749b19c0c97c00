// Text, plain or gzip, in batches of whole lines: a table larger than memory passes through.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace m2st::data {

// Lines without their ends (LF or CRLF); views into `text`, so a batch is neither copied nor moved.
struct TextBatch {
  std::string text;
  std::vector<std::string_view> lines;
  std::int64_t first_line = 0;  // number of the first, from 1

  TextBatch() = default;
  TextBatch(const TextBatch&) = delete;
  TextBatch& operator=(const TextBatch&) = delete;
};

class TextStream {
 public:
  // Exit code 3 when missing or unreadable, 4 when empty.
  explicit TextStream(const std::string& path);

  const std::string& path() const { return path_; }
  // The next lines, of about a few MiB; false when there are none left. Exit code 4 when the file
  // is damaged, cut short (gzip) or not text.
  bool next(TextBatch& batch);
  // The next single line, and its number.
  bool next(std::string_view& line);
  std::int64_t line() const { return line_; }

 private:
  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::size_t batch_bytes_;     // to read next: small at first, for small files
  std::string rest_;            // begun by a batch, ends in the next one
  std::int64_t next_line_ = 1;  // of the next batch
  bool ended_ = false;
  TextBatch current_;  // for single lines
  std::size_t position_ = 0;
  std::int64_t line_ = 0;
};

}  // namespace m2st::data
