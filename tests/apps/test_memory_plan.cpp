// The peak that the plan names against the peak that the process reaches, on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/apps/tissue.h"
#include "tests/support/temporary_folder.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

using Words = std::vector<std::string>;

constexpr double kTolerance = 0.1;

class MemoryPlan : public testing::Test {
 protected:
  // Of an embedding of so many cells, over what the process reached.
  double planned_over_reached(const std::string& cells, const Words& options) {
    const std::string tissue = folder_.path(cells);
    if (!std::filesystem::exists(tissue)) {
      run_program({"simulate", "-n", cells, "-k", "3", "--components", "150", "-o", tissue});
    }
    const std::string out = folder_.path("out");
    Words words = {"embed",
                   "--features",
                   tissue + "/features.npy",
                   "--coords",
                   tissue + "/coords.npy",
                   "--epochs",
                   "2",
                   "--device",
                   "cpu",
                   "-t",
                   "2",
                   "-o",
                   out,
                   "--force"};
    words.insert(words.end(), options.begin(), options.end());
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, 0) << result.err;
    if (result.code != 0) return 0;

    const Json manifest = Json::parse(file_text(out + "/manifest.json"));
    double reached = 0;
    for (const Json& stage : manifest["stages"]) {
      reached = std::max(reached, stage["peak_resident_bytes"].get<double>());
    }
    return manifest["planned_peak_bytes"].get<double>() / reached;
  }

  TemporaryFolder folder_;
};

TEST_F(MemoryPlan, PeakIsWithinATenthOfWhatTheProcessReaches) {
  for (const char* cells : {"3000", "6000"}) {
    for (const char* memory : {"auto", "fast", "low"}) {
      EXPECT_NEAR(planned_over_reached(cells, {"--memory", memory}), 1, kTolerance)
          << cells << ", " << memory;
    }
  }
}

TEST_F(MemoryPlan, SoItIsWithOtherNetworksAndPrecisions) {
  for (const Words& options :
       {Words{"--compat", "paper"},
        {"--head-merge", "sum"},
        {"--shared-width", "32"},
        {"--hidden", "512"},
        {"--matmul-precision", "medium"},
        {"--matmul-precision", "medium", "--memory", "low", "--feature-dropout", "0"}}) {
    EXPECT_NEAR(planned_over_reached("3000", options), 1, kTolerance)
        << testing::PrintToString(options);
  }
}

TEST_F(MemoryPlan, SoItIsWhereParametersOutweighTheCells) {
  EXPECT_NEAR(planned_over_reached("600", {}), 1, kTolerance);
}

}  // namespace
}  // namespace m2st::test
