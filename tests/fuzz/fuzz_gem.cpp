// Fuzz target: GEM.
#include "data/io/read_expression.h"
#include "data/io/text_formats.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  return m2st::test::read_as_file(bytes, size, [&](const std::string& path) {
    static m2st::CpuContext context(1);
    m2st::data::text_format(path);
    m2st::data::ReadOptions options;
    options.bin_size = static_cast<int>(size % 3) * 50;
    m2st::data::read_gem(context, path, options);
  });
}
