// m2st with the CUDA backend, on the host executor: what --device does, and what a device that is
// absent, unfit, too small or taken by others makes of a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

using Json = nlohmann::json;

// Of float32 losses on two backends (docs/numerics.md).
constexpr double kLossTolerance = 1e-5;
constexpr double kLeastAri = 0.99;
// Of the scores of the same labels, relative: sums of some hundred doubles in another order.
constexpr double kScoreTolerance = 1e-10;
// Columns of sweep.csv.
constexpr std::size_t kOptionsAndSizes = 5, kFirstScore = 7;
// Less than the training of 300 cells needs.
const std::string kSmallMemory = "M2ST_SIMT_MEMORY=200000";

std::vector<std::string> parts(const std::string& text, char separator) {
  std::vector<std::string> found;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) found.push_back(part);
  return found;
}

// Two sweep.csv with the same options, sizes and, but for rounding, scores.
void expect_same_table(const std::string& got_text, const std::string& want_text) {
  const std::vector<std::string> got = parts(got_text, '\n'), want = parts(want_text, '\n');
  ASSERT_EQ(got.size(), want.size());
  EXPECT_EQ(got.front(), want.front());
  for (std::size_t r = 1; r < want.size(); ++r) {
    const std::vector<std::string> fields = parts(got[r], ','), wanted = parts(want[r], ',');
    ASSERT_EQ(fields.size(), wanted.size());
    for (std::size_t c = 0; c < kOptionsAndSizes; ++c) EXPECT_EQ(fields[c], wanted[c]);
    for (std::size_t c = kFirstScore; c < wanted.size(); ++c) {
      const double score = std::stod(wanted[c]);
      EXPECT_NEAR(std::stod(fields[c]), score, kScoreTolerance * std::abs(score))
          << "row " << r << ", column " << c;
    }
  }
}

class Device : public Tissue {
 protected:
  ProgramResult run(const std::string& device, const std::string& out,
                    const std::vector<std::string>& environment = {},
                    std::vector<std::string> more = {}, const std::string& epochs = "3") const {
    ProgramPlan plan;
    more.insert(more.end(), {"--device", device});
    plan.arguments = with(run_words(out, more), "--epochs", epochs);
    plan.environment = environment;
    plan.timeout_seconds = 300;
    return run_program(plan);
  }
  Json manifest(const std::string& out) const {
    return Json::parse(file_text(path(out) + "/manifest.json"));
  }
  // One line that has all the words, nothing written.
  void expect_refused(const std::string& environment, const std::vector<std::string>& words,
                      int code = 7) {
    const ProgramResult result = run("cuda", "refused", {environment});

    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& word : words) {
      EXPECT_NE(result.err.find(word), std::string::npos) << word << " in " << result.err;
    }
    EXPECT_FALSE(exists(path("refused")));
  }
  // The CPU's results, and one warning that has the word, told before training and kept.
  void expect_cpu_instead(const std::string& environment, const std::string& word) {
    const ProgramResult result = run("auto", "instead", {environment});

    ASSERT_EQ(result.code, 0) << result.err;
    const std::size_t told = result.err.find("runs on the CPU");
    ASSERT_NE(told, std::string::npos) << result.err;
    EXPECT_LT(told, result.err.find("train: epoch")) << result.err;
    const Json made = manifest("instead");
    EXPECT_EQ(made["hardware"]["device"], "cpu");
    ASSERT_EQ(made["warnings"].size(), 1u);
    EXPECT_NE(made["warnings"][0].get<std::string>().find(word), std::string::npos)
        << made["warnings"];
    ASSERT_EQ(run("cpu", "cpu").code, 0);
    for (const char* file : {"domains.csv", "embedding_scale1.npy", "embedding_scale2.npy"}) {
      EXPECT_TRUE(file_text(path("instead/") + file) == file_text(path("cpu/") + file)) << file;
    }
  }
};

TEST_F(Device, CudaGivesTheCpusDomains) {
  for (const char* memory : {"fast", "low"}) {
    ASSERT_EQ(run("cpu", "cpu", {}, {"--memory", memory, "--force"}).code, 0);
    const ProgramResult result = run("cuda", "cuda", {}, {"--memory", memory, "--force"});
    ASSERT_EQ(result.code, 0) << result.err;

    EXPECT_EQ(manifest("cuda")["hardware"]["device"], "cuda:0");
    const auto want = manifest("cpu")["training"]["losses"].get<std::vector<double>>();
    const auto got = manifest("cuda")["training"]["losses"].get<std::vector<double>>();
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      EXPECT_NEAR(got[i], want[i], kLossTolerance * std::abs(want[i]));
    }
    const ProgramResult score = run_program(
        {"score", "--labels", path("cuda/domains.csv"), "--truth", path("cpu/domains.csv")});
    ASSERT_EQ(score.code, 0) << score.err;
    EXPECT_GE(Json::parse(score.out)["ari"].get<double>(), kLeastAri) << memory;
  }
}

TEST_F(Device, AutoTakesTheDeviceThatThereIs) {
  const ProgramResult result = run("auto", "out");

  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(manifest("out")["hardware"]["device"], "cuda:0");
  EXPECT_TRUE(manifest("out")["warnings"].empty());
}

TEST_F(Device, WithoutADriverCudaIsRefusedAndAutoIsTheCpu) {
  expect_refused("M2ST_SIMT_DEVICES=0", {"no NVIDIA driver", "--device cpu"});

  ASSERT_EQ(run("auto", "out", {"M2ST_SIMT_DEVICES=0"}).code, 0);
  EXPECT_EQ(manifest("out")["hardware"]["device"], "cpu");
  EXPECT_TRUE(manifest("out")["warnings"].empty());
}

TEST_F(Device, OldDriverIsNamedWithBothReleases) {
  expect_refused("M2ST_SIMT_FAULT=old-driver", {"driver is for CUDA 12.4", "13.0", "--device cpu"});
  expect_cpu_instead("M2ST_SIMT_FAULT=old-driver", "12.4");
}

TEST_F(Device, GenerationWithoutKernelsIsNamed) {
  expect_refused("M2ST_SIMT_FAULT=no-kernels",
                 {"no kernels for device 0", "sm_90", "CMAKE_CUDA_ARCHITECTURES", "--device cpu"});
  expect_cpu_instead("M2ST_SIMT_FAULT=no-kernels", "sm_90");
}

TEST_F(Device, WithoutRoomToBeginCudaIsRefusedAndAutoIsTheCpu) {
  expect_refused("M2ST_SIMT_FAULT=no-room", {"no room on device 0", "--device cpu"}, 6);
  expect_cpu_instead("M2ST_SIMT_FAULT=no-room", "no room");
}

TEST_F(Device, PlanThatDoesNotFitIsPrintedAndNothingWritten) {
  const ProgramResult result = run("cuda", "out", {kSmallMemory});

  EXPECT_EQ(result.code, 6);
  for (const char* word :
       {"training needs about", "on cuda:0", "195.3 KiB were free", "--hidden"}) {
    EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
  }
  EXPECT_FALSE(exists(path("out")));
  const ProgramResult dry = run("cuda", "out", {kSmallMemory}, {"--dry-run"});
  ASSERT_EQ(dry.code, 0) << dry.err;
  const Json memory = Json::parse(dry.out)["memory"];
  EXPECT_EQ(memory["device"], "cuda:0");
  EXPECT_EQ(memory["available_bytes"], 200000);
  EXPECT_FALSE(memory["fits"]);
}

TEST_F(Device, AutoFallsBackBeforeTrainingWhenThePlanDoesNotFit) {
  expect_cpu_instead(kSmallMemory, "training needs about");
}

// Where there is less than the pools take otherwise they give blocks back in the middle of an
// epoch.
TEST_F(Device, ScarceMemoryChangesNothingOrEndsTheRun) {
  ASSERT_EQ(run("cuda", "much").code, 0);
  for (const char* bytes : {"800000", "1200000", "1800000"}) {
    const ProgramResult result =
        run("cuda", "little", {std::string("M2ST_SIMT_MEMORY=") + bytes}, {"--force"});

    ASSERT_TRUE(result.code == 0 || result.code == 6) << result.code << result.err;
    if (result.code == 6) continue;
    EXPECT_TRUE(file_text(path("much/embedding_scale1.npy")) ==
                file_text(path("little/embedding_scale1.npy")))
        << bytes;
  }
}

// Blocks run out while parameters are placed, in the first epoch, and for the embeddings' sake.
TEST_F(Device, MemoryThatRunsOutLeavesNothingButThePlan) {
  for (const char* device : {"cuda", "auto"}) {
    for (const char* blocks : {"3", "30", "90"}) {
      const ProgramResult result = run(device, "out", {std::string("M2ST_SIMT_BLOCKS=") + blocks});

      EXPECT_EQ(result.code, 6) << device << ", " << blocks << ": " << result.err;
      for (const char* word : {"memory ran out", "training needs about", "on cuda:0"}) {
        EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
      }
      EXPECT_FALSE(exists(path("out"))) << device << ", " << blocks;
    }
  }
}

TEST_F(Device, OldResultsSurviveMemoryThatRunsOut) {
  ASSERT_EQ(run("cpu", "out").code, 0);
  const std::string before = file_text(path("out/manifest.json"));

  EXPECT_EQ(run("cuda", "out", {"M2ST_SIMT_BLOCKS=30"}, {"--force"}).code, 6);

  EXPECT_EQ(file_text(path("out/manifest.json")), before);
  EXPECT_FALSE(exists(path("out/.partial")));
}

TEST_F(Device, StoppedRunGoesOnAsIfNeverStopped) {
  ASSERT_EQ(run("cuda", "whole", {}, {}, "5").code, 0);
  ASSERT_EQ(run("cuda", "parts", {}, {}, "2").code, 0);

  ASSERT_EQ(run("cuda", "parts", {}, {"--resume"}, "5").code, 0);

  for (const char* file : {"domains.csv", "embedding_scale1.npy"}) {
    EXPECT_TRUE(file_text(path("parts/") + file) == file_text(path("whole/") + file)) << file;
  }
}

TEST_F(Device, WithoutRoomForCublasLtProductsAreTheEnginesOwn) {
  const std::vector<std::string> medium = {"--matmul-precision", "medium", "--matmul-library"};
  const auto with_library = [&](const std::string& library) {
    std::vector<std::string> words = medium;
    words.push_back(library);
    return run("cuda", library, {"M2ST_SIMT_CUBLASLT=no-room"}, words);
  };
  const ProgramResult chosen = with_library("auto");

  ASSERT_EQ(chosen.code, 0) << chosen.err;
  ASSERT_EQ(manifest("auto")["warnings"].size(), 1u);
  EXPECT_NE(chosen.err.find("products do without tensor cores"), std::string::npos) << chosen.err;
  ASSERT_EQ(with_library("own").code, 0);
  EXPECT_TRUE(file_text(path("auto/embedding_scale1.npy")) ==
              file_text(path("own/embedding_scale1.npy")));
  EXPECT_EQ(with_library("cublaslt").code, 6);
}

// Else half of the epochs would be one's and half the other's.
TEST_F(Device, StoppedRunGoesOnWhereItBegan) {
  ASSERT_EQ(run("cuda", "parts", {}, {}, "2").code, 0);
  for (const auto& [device, environment] :
       {std::pair("cpu", "M2ST_SIMT_DEVICES=1"), std::pair("auto", kSmallMemory.c_str())}) {
    const ProgramResult result = run(device, "parts", {environment}, {"--resume"}, "5");

    EXPECT_EQ(result.code, 10) << result.err;
    for (const char* word : {"a CUDA device", "the CPU", "--device"}) {
      EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
    }
  }
  EXPECT_EQ(run("auto", "parts", {}, {"--resume"}, "5").code, 0);
}

// It takes less than training, and has nothing to mix.
TEST_F(Device, EmbeddingByACheckpointFallsBackToo) {
  ASSERT_EQ(run("cuda", "trained", {}, {"--checkpoint-every", "3"}).code, 0);
  const auto embed = [&](const std::string& device, const std::string& environment) {
    ProgramPlan plan;
    plan.arguments = {"embed",
                      "--features",
                      path("features.npy"),
                      "--coords",
                      path("coords.npy"),
                      "--checkpoint",
                      path("trained/checkpoint/training.m2st"),
                      "--device",
                      device,
                      "-o",
                      path(device),
                      "--force"};
    plan.environment = {environment};
    return run_program(plan);
  };
  ASSERT_EQ(embed("cpu", "M2ST_SIMT_DEVICES=1").code, 0);

  const ProgramResult result = embed("auto", "M2ST_SIMT_BLOCKS=2");

  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("runs on the CPU"), std::string::npos) << result.err;
  EXPECT_EQ(manifest("auto")["hardware"]["device"], "cpu");
  EXPECT_TRUE(file_text(path("auto/embedding_scale1.npy")) ==
              file_text(path("cpu/embedding_scale1.npy")));
  EXPECT_EQ(embed("cuda", "M2ST_SIMT_BLOCKS=2").code, 6);
}

TEST_F(Device, JobsOfTheHostLeaveItAlone) {
  ProgramPlan plan;
  plan.arguments = {"graph", "--coords", path("coords.npy"), "-o", path("graph")};
  ASSERT_EQ(run_program(plan).code, 0);

  EXPECT_EQ(manifest("graph")["hardware"]["device"], "cpu");
}

// The small algebra and the passes over the cells are double on both.
TEST_F(Device, ReferenceClusteringIsTheCpusOnADevice) {
  ASSERT_EQ(run("cpu", "embedded").code, 0);
  for (const char* device : {"cpu", "cuda"}) {
    const ProgramResult result =
        run_program({"cluster", "--embedding", path("embedded/embedding_scale1.npy"), "--embedding",
                     path("embedded/embedding_scale2.npy"), "-k", "3", "--method", "reference",
                     "--device", device, "-o", path(device)});
    ASSERT_EQ(result.code, 0) << result.err;
  }

  EXPECT_TRUE(file_text(path("cuda/domains.csv")) == file_text(path("cpu/domains.csv")));
  EXPECT_EQ(manifest("cpu")["clustering"]["device"], "cpu");
  EXPECT_EQ(manifest("cuda")["clustering"]["device"], "cuda:0");
}

TEST_F(Device, SweepChoosesTheCpusDomainsOnADevice) {
  ASSERT_EQ(run("cpu", "embedded").code, 0);
  for (const std::string precision : {"double", "float"}) {
    for (const std::string device : {"cpu", "cuda"}) {
      const std::string out = device + precision;
      std::vector<std::string> words = {"sweep", "--embeddings"};
      for (const char* scale : {"1", "2"}) {
        words.push_back(path("embedded/embedding_scale") + scale + ".npy");
      }
      words.insert(words.end(), {"--coords", path("coords.npy"), "--truth", path("labels.txt")});
      for (const char* word :
           {"-k", "3", "--choose", "silhouette", "--lambda1", "1", "10", "--lambda2", "0.001",
            "--lambda3", "0.1", "--specific-dim", "3", "5", "--iterations", "10"}) {
        words.emplace_back(word);
      }
      words.insert(words.end(), {"--precision", precision, "--device", device, "-o", path(out)});
      const ProgramResult result = run_program(words);
      ASSERT_EQ(result.code, 0) << result.err;
    }
    const Json made = manifest("cuda" + precision), want = manifest("cpu" + precision);

    EXPECT_TRUE(file_text(path("cuda" + precision + "/domains.csv")) ==
                file_text(path("cpu" + precision + "/domains.csv")))
        << precision;
    EXPECT_EQ(made["hardware"]["device"], "cuda:0");
    EXPECT_EQ(made["chosen"]["domain_sizes"], want["chosen"]["domain_sizes"]);
    expect_same_table(file_text(path("cuda" + precision + "/sweep.csv")),
                      file_text(path("cpu" + precision + "/sweep.csv")));
  }
}

}  // namespace
}  // namespace m2st::test
