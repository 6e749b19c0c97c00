#include "data/io/hdf5_source.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>

#include "data/io/hdf5_handle.h"
#include "data/io/hdf5_server.h"
#include "data/io/input_file.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

constexpr std::int64_t kPieceBytes = std::int64_t{8} << 20;
constexpr std::int64_t kTextsAPiece = 1 << 16;
// gzip packs at most 1032 : 1; what claims more does not hold it.
constexpr std::int64_t kLargestRatio = 1100;
constexpr std::int64_t kSlack = std::int64_t{1} << 20;
constexpr int kPatience = 10'000;                 // milliseconds without any answer
constexpr std::int64_t kSlowestDisk = 16 * 1024;  // bytes a millisecond
constexpr std::uint64_t kLargestAnswer = std::uint64_t{1} << 36;

const char* kAdvice = "copy or download it again, or save it again from where it was made";

}  // namespace

Hdf5Source::Hdf5Source(std::string path) : path_(std::move(path)) {
  file_bytes_ = InputFile(path_).size();
  if (file_bytes_ == 0) fail(ExitCode::kInputInvalid, path_, ": is empty");
  prepare_hdf5();  // once here, not in every process
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    fail(ExitCode::kInternal, path_, ": no socket to read it through: ", std::strerror(errno));
  }
  process_ = ::fork();
  if (process_ == 0) {
    ::close(ends[0]);
    serve_hdf5(ends[1], path_, file_bytes_);
  }
  ::close(ends[1]);
  socket_ = ends[0];
  if (process_ < 0) {
    ::close(std::exchange(socket_, -1));
    fail(ExitCode::kOutOfMemory, path_, ": no process to read it in: ", std::strerror(errno));
  }
  try {
    ask("", "its first block", 0);
  } catch (...) {
    stop();
    throw;
  }
}

Hdf5Source::~Hdf5Source() { stop(); }

void Hdf5Source::stop() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  if (process_ < 0) return;
  // It only reads: nothing is lost, and a hung one would not see the closed socket.
  ::kill(process_, SIGKILL);
  ::waitpid(std::exchange(process_, -1), nullptr, 0);
}

void Hdf5Source::died(const std::string& about) {
  int status = 0;
  ::waitpid(std::exchange(process_, -1), &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    fail(ExitCode::kOutOfMemory, path_, ": the process that read ", about,
         " was killed, most likely for want of memory");
  }
  fail(ExitCode::kInputInvalid, path_, ": is damaged: the HDF5 library crashed on ", about, "; ",
       kAdvice);
}

void Hdf5Source::hung(const std::string& about, int milliseconds) {
  fail(ExitCode::kInputInvalid, path_, ": reading ", about, " came to nothing for ",
       milliseconds / 1000, " s; the file is damaged or its disk does not answer; ", kAdvice);
}

void Hdf5Source::receive(char* to, std::size_t bytes, const std::string& about, int milliseconds) {
  while (bytes > 0) {
    pollfd wait{socket_, POLLIN, 0};
    const int ready = ::poll(&wait, 1, milliseconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) hung(about, milliseconds);
    const ssize_t count = ::recv(socket_, to, bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) died(about);
    to += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

// `bytes`: what may have to come from the disk before the first answer.
std::string Hdf5Source::ask(const std::string& question, const std::string& about,
                            std::int64_t bytes) {
  if (!question.empty() && !send_message(socket_, question)) died(about);
  const std::int64_t more = std::min(bytes, file_bytes_) / kSlowestDisk;
  const int patience =
      static_cast<int>(std::min<std::int64_t>(kPatience + more, std::numeric_limits<int>::max()));
  std::uint64_t size = 0;
  receive(reinterpret_cast<char*>(&size), sizeof size, about, patience);
  if (size == 0 || size > kLargestAnswer) {
    fail(ExitCode::kInputInvalid, path_, ": is damaged at ", about, "; ", kAdvice);
  }
  std::string answer(size, '\0');
  receive(answer.data(), answer.size(), about, patience);
  MessageReader message(answer);
  if (message.get<bool>()) return answer.substr(sizeof(bool));
  const auto code = static_cast<ExitCode>(message.get<int>());
  const std::string text = message.get_text();
  if (text.empty()) {
    fail(code, path_, ": is damaged: ", about, " claims more than memory can hold; ", kAdvice);
  }
  if (text.starts_with(path_)) fail(code, text);
  fail(code, path_, ": ", about, ": ", text);
}

void Hdf5Source::check_claims(const std::string& name, const Hdf5Object& object) const {
  std::int64_t bytes = std::max<std::int64_t>(object.bytes, 1);
  bool sound = object.bytes >= 0;
  bool empty = object.values == Hdf5Values::kNull;
  for (const std::int64_t side : object.shape) {
    sound = sound && side >= 0;
    empty = empty || side == 0;
  }
  for (const std::int64_t side : object.shape) {
    sound = sound && (empty || !__builtin_mul_overflow(bytes, side, &bytes));
  }
  for (const Hdf5Member& member : object.members) sound = sound && member.width >= 0;
  if (sound && (empty || (bytes - kSlack) / kLargestRatio <= file_bytes_)) return;
  fail(ExitCode::kInputInvalid, path_, ": ", name, " claims more values than ", file_bytes_,
       " bytes of file can hold; it is damaged, ", kAdvice);
}

const Hdf5Object& Hdf5Source::object(const std::string& name) {
  const auto found = objects_.find(name);
  if (found != objects_.end()) return found->second;
  MessageWriter question;
  question.put(Hdf5Question::kDescribe);
  question.put(std::string_view(name));
  const std::string answer = ask(question.bytes(), name, 0);
  MessageReader message(answer);
  Hdf5Object object = get_object(message);
  if (object.is_dataset()) check_claims(name, object);
  return objects_.emplace(name, std::move(object)).first->second;
}

const Hdf5Object& Hdf5Source::readable(const std::string& dataset, const std::string& member,
                                       bool text) {
  const Hdf5Object& found = object(dataset);
  if (!found.obstacle.empty()) {
    fail(ExitCode::kInputInvalid, path_, ": dataset ", dataset, " ", found.obstacle);
  }
  Hdf5Values values = found.values;
  if (!member.empty()) {
    const Hdf5Member* field = found.member(member);
    values = field == nullptr ? Hdf5Values::kOther : field->values;
  }
  const bool numeric = values == Hdf5Values::kInteger || values == Hdf5Values::kFloat ||
                       values == Hdf5Values::kBoolean;
  if (!found.is_dataset() || (text ? values != Hdf5Values::kText : !numeric)) {
    fail(ExitCode::kInputInvalid, path_, ": ", dataset, member.empty() ? "" : ", field " + member,
         found.kind == Hdf5Kind::kAbsent ? " is missing"
         : text                          ? " holds no text where text is needed"
                                         : " holds no numbers where numbers are needed");
  }
  return found;
}

// Whole chunks where they are small enough, so that none is unpacked twice.
std::int64_t Hdf5Source::rows_a_piece(const Hdf5Object& object, std::int64_t row_bytes) const {
  const std::int64_t rows =
      std::max<std::int64_t>(kPieceBytes / std::max(row_bytes, INT64_C(1)), 1);
  if (object.chunk_rows <= 0 || object.chunk_rows > rows) return rows;
  return rows - rows % object.chunk_rows;
}

template <class T>
void Hdf5Source::for_each_piece(const std::string& dataset, const std::string& member,
                                const std::function<void(std::int64_t, Span<const T>)>& visit) {
  const Hdf5Object& object = readable(dataset, member, false);
  if (object.values == Hdf5Values::kNull) return;
  const std::int64_t width = member.empty() ? 1 : object.member(member)->width;
  const std::int64_t elements = object.row_elements() * width;
  const std::int64_t rows = rows_a_piece(object, elements * static_cast<std::int64_t>(sizeof(T)));
  for (std::int64_t first = 0; first < object.rows(); first += rows) {
    const std::int64_t count = std::min(rows, object.rows() - first);
    MessageWriter question;
    question.put(std::is_same_v<T, double> ? Hdf5Question::kDoubles : Hdf5Question::kIntegers);
    question.put(std::string_view(dataset));
    question.put(std::string_view(member));
    question.put(first);
    question.put(count);
    const std::string answer =
        ask(question.bytes(), dataset, std::max(object.chunk_bytes, kPieceBytes));
    const std::vector<T> values = MessageReader(answer).get_numbers<T>();
    if (static_cast<std::int64_t>(values.size()) != count * elements) {
      fail(ExitCode::kInputInvalid, path_, ": is damaged at ", dataset, "; ", kAdvice);
    }
    visit(first, values);
  }
}

template <class T>
std::vector<T> Hdf5Source::numbers(const std::string& dataset, const std::string& member) {
  std::vector<T> values;
  for_each_piece<T>(dataset, member, [&](std::int64_t, Span<const T> piece) {
    values.insert(values.end(), piece.begin(), piece.end());
  });
  return values;
}

std::vector<std::string> Hdf5Source::texts(const std::string& dataset, const std::string& member) {
  const Hdf5Object& object = readable(dataset, member, true);
  std::vector<std::string> texts;
  if (object.shape.size() > 1) {
    fail(ExitCode::kInputInvalid, path_, ": ", dataset, " is a table of texts, need one a row");
  }
  for (std::int64_t first = 0; first < object.rows(); first += kTextsAPiece) {
    const std::int64_t count = std::min(kTextsAPiece, object.rows() - first);
    MessageWriter question;
    question.put(Hdf5Question::kTexts);
    question.put(std::string_view(dataset));
    question.put(std::string_view(member));
    question.put(first);
    question.put(count);
    const std::string answer =
        ask(question.bytes(), dataset, std::max(object.chunk_bytes, kPieceBytes));
    std::vector<std::string> piece = MessageReader(answer).get_texts();
    if (static_cast<std::int64_t>(piece.size()) != count) {
      fail(ExitCode::kInputInvalid, path_, ": is damaged at ", dataset, "; ", kAdvice);
    }
    std::move(piece.begin(), piece.end(), std::back_inserter(texts));
  }
  return texts;
}

#define INSTANTIATE(T)                                                                    \
  template std::vector<T> Hdf5Source::numbers<T>(const std::string&, const std::string&); \
  template void Hdf5Source::for_each_piece<T>(                                            \
      const std::string&, const std::string&,                                             \
      const std::function<void(std::int64_t, Span<const T>)>&);
INSTANTIATE(double)
INSTANTIATE(std::int64_t)
#undef INSTANTIATE

}  // namespace m2st::data
