// Work that may crash or hang, done in a process of its own: the HDF5 library on files it has no
// reason to trust, or on a full disk, after which it crashes when a program ends.
#pragma once

#include <functional>
#include <string>

#include "engine/check.h"

namespace m2st::data {

// Runs `work` in a forked process and waits for it; what it does to memory is lost. An Error that
// it throws is thrown here. Exit code 6 when it is killed; `crashed`, beginning with `about`, when
// it crashes or is not done after `seconds`.
void in_own_process(const std::string& about, double seconds, ExitCode crashed,
                    const std::function<void()>& work);

}  // namespace m2st::data
