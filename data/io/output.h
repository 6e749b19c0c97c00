// Output that is whole or absent (design.md §3, promise 4): written to a temporary file in the
// target folder, every write checked, flushed to disk, re-opened and compared by hash, renamed.
#pragma once

#include <string>
#include <string_view>

namespace m2st::data {

// Exit code 8 on any failure; the temporary file is removed then.
void write_whole(const std::string& path, std::string_view bytes);

// Creates `path` and its parents, or accepts an existing empty folder, or any existing one with
// `force`; exit code 8 otherwise. Tries writability.
void prepare_output_folder(const std::string& path, bool force);

// xxh3-128 of a file's bytes as 32 hexadecimal digits; exit code 3 when unreadable.
std::string file_hash(const std::string& path);
std::string bytes_hash(std::string_view bytes);

}  // namespace m2st::data
