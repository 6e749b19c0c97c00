// Reports of what is wrong with a kernel or with a call: one line to standard error that starts
// with "simt:", then the program ends. Nothing can go on from there, as on a device.
#pragma once

#include <source_location>
#include <string>

#include "tests/simt/include/vector_types.h"

namespace m2st::simt {

[[noreturn]] void report(const std::string& what);

// The function's name as written in the source, or its address.
std::string function_name(const void* function);

std::string text_of(const std::source_location& where);
std::string text_of(uint3 index);
std::string text_of(dim3 size);
std::string text_of_mask(unsigned mask);

}  // namespace m2st::simt
