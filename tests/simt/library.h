// What the executor offers to stand-ins of CUDA's libraries. They are shared libraries that the
// program opens as it would the real ones; these functions are the program's.
#pragma once

#include <cstddef>
#include <functional>

struct CUstream_st;

namespace m2st::simt {

// Does `work` in the stream's order, as a launch would: device memory is open while it runs, and
// the ground around its blocks is looked at afterwards. `name` is for reports. False when there is
// no such stream.
bool submit_work(const char* name, std::function<void()> work, CUstream_st* stream);

// Ends the program with a report unless the bytes lie in one block of device memory.
void require_device_memory(const char* what, const void* first, std::size_t bytes);

}  // namespace m2st::simt
