// Work that may crash or hang, done in a process of its own: the HDF5 library on files it has no
// reason to trust.
#pragma once

#include <functional>
#include <string>

namespace m2st::data {

// Runs `work` in a forked process and waits for it; what it does to memory is lost. An Error that
// it throws is thrown here. Exit code 4, beginning with `about`, when it crashes, 6 when it is
// killed, 4 when it is not done after `seconds`.
void in_own_process(const std::string& about, double seconds, const std::function<void()>& work);

}  // namespace m2st::data
