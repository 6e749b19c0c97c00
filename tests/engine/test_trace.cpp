// Stages of a trace, resident memory, and error messages.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/check.h"
#include "engine/communicator.h"
#include "engine/trace.h"
#include "tests/support/expect_error.h"

namespace m2st {
namespace {

TEST(Trace, KeepsStagesInOrderWithTheirCost) {
  Trace trace;
  trace.begin("read");
  const double before = cpu_seconds();
  while (cpu_seconds() - before < 0.02) {
  }
  trace.begin("train");
  trace.end();
  trace.end();  // nothing is open: nothing happens

  ASSERT_EQ(trace.stages().size(), 2u);
  EXPECT_EQ(trace.stages()[0].name, "read");
  EXPECT_EQ(trace.stages()[1].name, "train");
  EXPECT_GE(trace.stages()[0].cpu_seconds, 0.02);
  EXPECT_GE(trace.stages()[0].wall_seconds, 0.0);
  EXPECT_GE(trace.stages()[1].wall_seconds, 0.0);
  EXPECT_LE(trace.stages()[1].cpu_seconds, trace.stages()[0].cpu_seconds);
  EXPECT_GE(trace.stages()[1].peak_resident_bytes, trace.stages()[0].peak_resident_bytes);
}

TEST(Trace, ResidentMemoryGrowsWithWhatIsTouched) {
  constexpr std::int64_t kBytes = 64 << 20;
  const std::int64_t before = resident_bytes();

  std::vector<char> memory(kBytes);
  std::fill(memory.begin(), memory.end(), 'x');

  EXPECT_GE(resident_bytes() - before, kBytes / 2);
  EXPECT_GE(peak_resident_bytes(), kBytes);
  EXPECT_EQ(memory[kBytes - 1], 'x');
}

TEST(Check, SaysWhatAndCarriesTheCode) {
  test::expect_error(ExitCode::kInternal, {"gemm: a has 3 columns, b has 4 rows"},
                     [] { M2ST_CHECK(1 > 2, "gemm: a has ", 3, " columns, b has ", 4, " rows"); });
  test::expect_error(ExitCode::kOutput, {"no room"}, [] { fail(ExitCode::kOutput, "no room"); });
  EXPECT_NO_THROW(M2ST_CHECK(true, "never"));
}

TEST(Communicator, AloneASumIsWhatItWas) {
  const Communicator communicator;
  std::vector<double> values = {1, 2};

  communicator.sum<double>(values);

  EXPECT_EQ(values, (std::vector<double>{1, 2}));
  EXPECT_EQ(communicator.rank(), 0);
  EXPECT_EQ(communicator.size(), 1);
}

}  // namespace
}  // namespace m2st
