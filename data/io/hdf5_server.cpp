#include "data/io/hdf5_server.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <initializer_list>
#include <new>
#include <optional>
#include <stdexcept>

#include "data/io/hdf5_objects.h"

namespace m2st::data {

namespace {

// What reading may take beyond what the process holds already: pieces, chunks as they are packed
// and unpacked. Damaged files ask for anything, and memory that is never used costs time too.
constexpr std::uint64_t kLeastMemory = std::uint64_t{256} << 20;
constexpr std::uint64_t kMemoryPerByte = 64;
constexpr std::uint64_t kMostMemory = std::uint64_t{6} << 30;

bool receive_all(int socket, char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = ::recv(socket, to, bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    to += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

bool send_all(int socket, const char* from, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = ::send(socket, from, bytes, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    from += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

std::optional<std::string> receive_question(int socket) {
  std::uint64_t size = 0;
  if (!receive_all(socket, reinterpret_cast<char*>(&size), sizeof size)) return std::nullopt;
  std::string bytes(size, '\0');
  if (!receive_all(socket, bytes.data(), bytes.size())) return std::nullopt;
  return bytes;
}

void limit_memory(std::uint64_t file_bytes) {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  if (!(file >> pages)) return;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0) return;
  const std::uint64_t more = std::min(kMostMemory, kLeastMemory + kMemoryPerByte * file_bytes);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, pages * page + more);
  ::setrlimit(RLIMIT_AS, &limit);
}

// A crash is to end this process and nothing else: no core, no words on the terminal, no handler
// that belongs to the parent. Interrupts are the parent's to see; with it gone, this goes too.
void stand_alone(std::uint64_t file_bytes) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_IGN);
  const rlimit none{};
  ::setrlimit(RLIMIT_CORE, &none);
  limit_memory(file_bytes);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
}

void answer(Hdf5Reader& reader, MessageReader question, MessageWriter& message) {
  const auto kind = question.get<Hdf5Question>();
  const std::string object = question.get_text();
  if (kind == Hdf5Question::kDescribe) {
    put_object(message, reader.describe(object));
    return;
  }
  const std::string member = question.get_text();
  const auto first = question.get<std::int64_t>();
  const auto count = question.get<std::int64_t>();
  if (kind == Hdf5Question::kDoubles) {
    message.put(reader.numbers<double>(object, member, first, count));
  } else if (kind == Hdf5Question::kIntegers) {
    message.put(reader.numbers<std::int64_t>(object, member, first, count));
  } else {
    message.put(reader.texts(object, member, first, count));
  }
}

// Runs `work` and gives its answer, or the error it ended with.
template <class Work>
std::string answered(Work&& work) {
  const auto failure = [](ExitCode code, std::string_view text) {
    MessageWriter message;
    message.put(false);
    message.put(static_cast<int>(code));
    message.put(text);
    return message.bytes();
  };
  try {
    MessageWriter message;
    message.put(true);
    work(message);
    return message.bytes();
  } catch (const Error& error) {
    return failure(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return failure(ExitCode::kInputInvalid, "");
  } catch (const std::length_error&) {
    return failure(ExitCode::kInputInvalid, "");
  }
}

}  // namespace

bool send_message(int socket, const std::string& bytes) {
  const std::uint64_t size = bytes.size();
  return send_all(socket, reinterpret_cast<const char*>(&size), sizeof size) &&
         send_all(socket, bytes.data(), bytes.size());
}

void put_object(MessageWriter& message, const Hdf5Object& object) {
  message.put(object.kind);
  message.put(object.values);
  message.put(object.bytes);
  message.put(object.shape);
  message.put(object.chunk_rows);
  message.put(object.chunk_bytes);
  message.put(static_cast<std::uint64_t>(object.members.size()));
  for (const Hdf5Member& member : object.members) {
    message.put(std::string_view(member.name));
    message.put(member.values);
    message.put(member.width);
  }
  message.put(object.children);
  message.put(static_cast<std::uint64_t>(object.attributes.size()));
  for (const Hdf5Attribute& attribute : object.attributes) {
    message.put(std::string_view(attribute.name));
    message.put(attribute.values);
    message.put(attribute.shape);
    message.put(attribute.texts);
    message.put(attribute.numbers);
  }
  message.put(std::string_view(object.obstacle));
}

Hdf5Object get_object(MessageReader& message) {
  Hdf5Object object;
  object.kind = message.get<Hdf5Kind>();
  object.values = message.get<Hdf5Values>();
  object.bytes = message.get<std::int64_t>();
  object.shape = message.get_numbers<std::int64_t>();
  object.chunk_rows = message.get<std::int64_t>();
  object.chunk_bytes = message.get<std::int64_t>();
  object.members.resize(message.counted(sizeof(std::uint64_t)));
  for (Hdf5Member& member : object.members) {
    member.name = message.get_text();
    member.values = message.get<Hdf5Values>();
    member.width = message.get<std::int64_t>();
  }
  object.children = message.get_texts();
  object.attributes.resize(message.counted(sizeof(std::uint64_t)));
  for (Hdf5Attribute& attribute : object.attributes) {
    attribute.name = message.get_text();
    attribute.values = message.get<Hdf5Values>();
    attribute.shape = message.get_numbers<std::int64_t>();
    attribute.texts = message.get_texts();
    attribute.numbers = message.get_numbers<double>();
  }
  object.obstacle = message.get_text();
  return object;
}

void serve_hdf5(int socket, const std::string& path, std::int64_t file_bytes) {
  stand_alone(static_cast<std::uint64_t>(file_bytes));
  std::optional<Hdf5Reader> reader;
  bool open = send_message(socket, answered([&](MessageWriter&) { reader.emplace(path); }));
  while (open && reader) {
    const std::optional<std::string> question = receive_question(socket);
    open = question && send_message(socket, answered([&](MessageWriter& message) {
                                      answer(*reader, MessageReader(*question), message);
                                    }));
  }
  ::_exit(0);  // without the parent's exit handlers
}

}  // namespace m2st::data
