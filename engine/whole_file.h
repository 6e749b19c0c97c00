// Files that are whole or absent (design.md section 3, promise 4): bytes go to a temporary file in
// the target's folder, every write is checked, the file is flushed to disk, re-opened and compared,
// and only then renamed over the target; the folder is flushed last.
#pragma once

#include <string>
#include <string_view>

#include "engine/check.h"

namespace m2st {

// Exit code 8 on any failure; the temporary file is removed then and the target stays as it was.
void write_whole_file(const std::string& path, std::string_view bytes);

// All bytes of a regular file; fails with `code` and the system's reason when it cannot be read.
std::string read_whole_file(const std::string& path, ExitCode code);

}  // namespace m2st
