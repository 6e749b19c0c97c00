// Where a job trains: the --device option, turned into the engine's context.
#pragma once

#include <cstdint>
#include <string>

#include "apps/pipeline/options.h"
#include "engine/context.h"

namespace m2st::apps {

struct ChosenDevice {
  Context context;
  std::string warning;  // what keeps `auto` from a device that is there
};

// text: auto, cpu, cuda or cuda:N. auto takes the first CUDA device where the build and the machine
// have one, else the CPU. Exit code 2 for another text, 7 when the device asked for cannot be used.
ChosenDevice choose_device(const std::string& text, int threads);

// Whether the text leaves the choice to the program.
bool is_automatic(const std::string& text);

// "cpu" or "cuda:N".
std::string device_name(Context& context);

// Bytes that training could still take, of the device's memory or the machine's.
std::int64_t available_bytes(Context& context);

// Gives a device the library for products of that precision. What keeps `auto` from it is returned,
// to warn of; else empty. Exit code 7 when the library asked for cannot be used.
std::string use_matmul_library(Context& context, MatmulLibrary wanted, MatmulPrecision precision);

// Whether it has been given one.
bool multiplies_by_library(Context& context);

}  // namespace m2st::apps
