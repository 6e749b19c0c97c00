// Fuzz target: tables of counts, labels and positions.
#include "data/io/read_expression.h"
#include "data/io/table.h"
#include "data/io/text_formats.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  return m2st::test::read_as_file(bytes, size, [&](const std::string& path) {
    static m2st::CpuContext context(1);
    try {
      m2st::data::read_counts_table(context, path, {}, {});
    } catch (const m2st::Error& error) {
      if (error.code() != m2st::ExitCode::kInputInvalid) throw;
    }
    try {
      m2st::data::read_labels(context, path, "");
    } catch (const m2st::Error& error) {
      if (error.code() != m2st::ExitCode::kInputInvalid) throw;
    }
    m2st::data::read_coordinates(context, path);
  });
}
