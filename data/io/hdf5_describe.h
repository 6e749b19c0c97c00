// Description of one object, by calls of the library in this process.
#pragma once

#include <string>

#include "data/io/hdf5_handle.h"
#include "data/io/hdf5_object.h"

namespace m2st::data {

// `path` is for messages. What is not there is kAbsent; exit code 4 when it is and cannot be
// opened.
Hdf5Object describe_hdf5(const std::string& path, Hdf5Id file, const std::string& object);

}  // namespace m2st::data
