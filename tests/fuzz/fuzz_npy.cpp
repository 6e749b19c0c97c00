// Fuzz target: NumPy arrays.
#include "data/io/npy.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  return m2st::test::read_as_file(bytes, size, [&](const std::string& path) {
    static m2st::CpuContext context(1);
    m2st::data::read_npy<double>(context, path);
    m2st::data::read_npy<std::int32_t>(context, path);
  });
}
