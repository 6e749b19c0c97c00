#include "data/io/text_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "data/io/input_file.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr std::size_t kFirstBatch = std::size_t{64} << 10;
constexpr std::size_t kLargestBatch = std::size_t{8} << 20;
constexpr std::size_t kLongestLine = std::size_t{1} << 30;
constexpr unsigned kUnpackBuffer = 1 << 18;

void split_lines(TextBatch& batch) {
  std::string_view text = batch.text;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    batch.lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

TextStream::TextStream(const std::string& path)
    : path_(path), file_(nullptr, gzclose_r), batch_bytes_(kFirstBatch) {
  if (InputFile(path).size() == 0) fail(ExitCode::kInputInvalid, path, ": is empty");
  file_.reset(gzopen(path.c_str(), "rb"));
  if (!file_) fail(ExitCode::kInputMissing, path, ": cannot be opened");
  gzbuffer(file_.get(), kUnpackBuffer);
}

bool TextStream::next(TextBatch& batch) {
  batch.lines.clear();
  batch.first_line = next_line_;
  batch.text = std::exchange(rest_, {});
  std::size_t end = std::string::npos;
  while (!ended_ && end == std::string::npos) {
    const std::size_t before = batch.text.size();
    if (before > kLongestLine) {
      fail(ExitCode::kInputInvalid, path_, ": line ", next_line_, " has more than ",
           kLongestLine >> 30, " GiB; this is no table");
    }
    batch.text.resize(before + batch_bytes_);
    const int count =
        gzread(file_.get(), batch.text.data() + before, static_cast<unsigned>(batch_bytes_));
    int status = Z_OK;
    const char* reason = gzerror(file_.get(), &status);
    if (count < 0 || (status != Z_OK && status != Z_STREAM_END)) {
      fail(ExitCode::kInputInvalid, path_, ": is damaged or cut short (gzip: ", reason,
           "); copy or download it again");
    }
    batch.text.resize(before + static_cast<std::size_t>(count));
    ended_ = static_cast<std::size_t>(count) < batch_bytes_;
    batch_bytes_ = std::min(2 * batch_bytes_, kLargestBatch);
    if (std::memchr(batch.text.data() + before, '\0', static_cast<std::size_t>(count)) != nullptr) {
      fail(ExitCode::kInputInvalid, path_,
           ": holds zero bytes, so it is no text (or UTF-16; save "
           "it as UTF-8)");
    }
    end = batch.text.rfind('\n');
  }
  if (!ended_ && end != std::string::npos) {
    rest_ = batch.text.substr(end + 1);
    batch.text.resize(end + 1);
  }
  if (next_line_ == 1 && batch.text.starts_with("\xef\xbb\xbf")) batch.text.erase(0, 3);
  split_lines(batch);
  next_line_ += static_cast<std::int64_t>(batch.lines.size());
  return !batch.lines.empty();
}

bool TextStream::next(std::string_view& line) {
  if (position_ == current_.lines.size()) {
    position_ = 0;
    if (!next(current_)) return false;
  }
  line = current_.lines[position_++];
  ++line_;
  return true;
}

}  // namespace m2st::data
