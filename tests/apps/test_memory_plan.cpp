// The peak that the plan names against the peak that the process reaches, on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/apps/tissue.h"
#include "tests/support/temporary_folder.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

constexpr double kTolerance = 0.1;

TEST(MemoryPlan, PeakIsWithinATenthOfWhatTheProcessReaches) {
  const TemporaryFolder folder;
  for (const char* cells : {"3000", "6000"}) {
    const std::string tissue = folder.path(cells);
    ASSERT_EQ(
        run_program({"simulate", "-n", cells, "-k", "3", "--components", "150", "-o", tissue}).code,
        0);
    for (const char* memory : {"auto", "fast", "low"}) {
      const std::string out = folder.path(std::string(cells) + memory);
      const ProgramResult result = run_program(
          {"embed", "--features", tissue + "/features.npy", "--coords", tissue + "/coords.npy",
           "--epochs", "2", "--device", "cpu", "-t", "2", "--memory", memory, "-o", out});
      ASSERT_EQ(result.code, 0) << result.err;

      const Json manifest = Json::parse(file_text(out + "/manifest.json"));
      double reached = 0;
      for (const Json& stage : manifest["stages"]) {
        reached = std::max(reached, stage["peak_resident_bytes"].get<double>());
      }
      const auto planned = manifest["planned_peak_bytes"].get<double>();
      EXPECT_NEAR(planned / reached, 1, kTolerance)
          << cells << ", " << memory << ": planned " << planned << ", reached " << reached;
    }
  }
}

}  // namespace
}  // namespace m2st::test
