// The process that calls the HDF5 library: it answers questions about one file over a socket until
// the other end closes, and may crash or hang meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "data/io/hdf5_object.h"
#include "data/io/message.h"

namespace m2st::data {

enum class Hdf5Question : std::uint8_t { kDescribe, kDoubles, kIntegers, kTexts };

// An answer begins with a bool: true and what was asked for, or false, an exit code (int) and a
// message. Each question and answer follows its length (uint64).
void put_object(MessageWriter& message, const Hdf5Object& object);
Hdf5Object get_object(MessageReader& message);

// Blocking; false when the other end is gone.
bool send_message(int socket, const std::string& bytes);

// Never returns; for a process that was forked for this. Memory is limited by the file's size. The
// first answer says whether the file could be opened.
[[noreturn]] void serve_hdf5(int socket, const std::string& path, std::int64_t file_bytes);

}  // namespace m2st::data
