// Kill and resume gives the same result as never having been killed; checkpoints that do not fit
// are refused.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/apps/tissue.h"

namespace m2st::test {
namespace {

class Interruption : public Tissue {
 protected:
  // Long enough that a signal after epoch 3 meets it in training.
  std::vector<std::string> long_run(const std::string& out,
                                    const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words =
        with(run_words(out, {"--progress", "json"}), "--epochs", "120");
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  ProgramResult interrupted(const std::string& out, int signal, const std::string& epoch = "3") {
    ProgramPlan plan;
    plan.arguments = long_run(out);
    plan.signal = signal;
    plan.signal_after = "{\"epoch\":" + epoch + ",";
    return run_program(plan);
  }
  std::string checkpoint(const std::string& out) const {
    return path(out) + "/checkpoint/training.m2st";
  }
};

TEST_F(Interruption, LeavesACheckpointAndNoResults) {
  const ProgramResult result = interrupted("out", SIGTERM);

  EXPECT_EQ(result.code, 143) << result.err;
  EXPECT_NE(result.err.find("SIGTERM"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("--resume"), std::string::npos) << result.err;
  EXPECT_TRUE(exists(checkpoint("out")));
  EXPECT_FALSE(exists(path("out/domains.csv")));
  EXPECT_FALSE(exists(path("out/manifest.json")));
}

TEST_F(Interruption, ResumedGivesTheSameBytes) {
  ASSERT_EQ(run_program(long_run("whole")).code, 0);
  for (const auto& [signal, code, epoch] :
       {std::tuple{SIGTERM, 143, "3"}, {SIGINT, 130, "1"}, {SIGINT, 130, "57"}}) {
    const std::string out = std::string("killed_at_") + epoch;
    ASSERT_EQ(interrupted(out, signal, epoch).code, code);

    const ProgramResult resumed = run_program(long_run(out, {"--resume"}));

    ASSERT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_EQ(resumed.err.find("{\"epoch\":1,"), std::string::npos) << "it started afresh";
    for (const char* name : {"/domains.csv", "/embedding_scale1.npy", "/embedding_scale2.npy"}) {
      EXPECT_TRUE(file_text(path("whole") + name) == file_text(path(out) + name)) << out << name;
    }
  }
}

TEST_F(Interruption, TwiceInterruptedStillGivesTheSameBytes) {
  ASSERT_EQ(run_program(long_run("whole")).code, 0);
  ASSERT_EQ(interrupted("out", SIGTERM, "10").code, 143);
  ProgramPlan plan;
  plan.arguments = long_run("out", {"--resume"});
  plan.signal = SIGTERM;
  plan.signal_after = "{\"epoch\":40,";
  ASSERT_EQ(run_program(plan).code, 143);

  ASSERT_EQ(run_program(long_run("out", {"--resume"})).code, 0);

  EXPECT_TRUE(file_text(path("whole/domains.csv")) == file_text(path("out/domains.csv")));
}

TEST_F(Interruption, AKilledProcessResumesFromItsLastCheckpoint) {
  ASSERT_EQ(run_program(long_run("whole")).code, 0);
  ProgramPlan plan;
  plan.arguments = long_run("out", {"--checkpoint-every", "5"});
  plan.signal = SIGKILL;
  plan.signal_after = "{\"epoch\":23,";
  ASSERT_EQ(run_program(plan).ended_by_signal, SIGKILL);

  const ProgramResult resumed =
      run_program(long_run("out", {"--checkpoint-every", "5", "--resume"}));

  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(resumed.err.find("{\"epoch\":20,"), std::string::npos) << "it started too early";
  EXPECT_TRUE(file_text(path("whole/embedding_scale1.npy")) ==
              file_text(path("out/embedding_scale1.npy")));
}

TEST_F(Interruption, RefusesToResumeWithoutACheckpoint) {
  const ProgramResult result = run_program(long_run("none", {"--resume"}));

  EXPECT_EQ(result.code, 10);
  EXPECT_NE(result.err.find("does not exist"), std::string::npos) << result.err;
}

TEST_F(Interruption, RefusesACheckpointThatDoesNotFit) {
  ASSERT_EQ(interrupted("out", SIGTERM).code, 143);
  ASSERT_EQ(run_program({"simulate", "-n", "300", "-k", "3", "--components", "12", "--seed", "2",
                         "-o", path("other")})
                .code,
            0);
  const std::vector<std::vector<std::string>> misfits = {
      with(long_run("out", {"--resume"}), "--features", path("other/features.npy")),
      with(long_run("out", {"--resume"}), "--hidden", "32"),
      long_run("out", {"--resume", "--seed", "1"}), long_run("out", {"--resume", "--lr", "0.01"}),
      long_run("out", {"--resume", "--graph", "knn", "--neighbors", "3"})};

  for (const std::vector<std::string>& words : misfits) {
    const ProgramResult result = run_program(words);

    EXPECT_EQ(result.code, 10) << result.err;
    EXPECT_NE(result.err.find("checkpoint"), std::string::npos) << result.err;
  }
}

TEST_F(Interruption, RefusesADamagedCheckpoint) {
  ASSERT_EQ(interrupted("out", SIGTERM).code, 143);
  const std::string whole = file_text(checkpoint("out"));
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);

  for (const std::string& damaged :
       {whole.substr(0, whole.size() / 2), whole.substr(0, 3), std::string(), flipped}) {
    write_text(checkpoint("out"), damaged);

    const ProgramResult result = run_program(long_run("out", {"--resume"}));

    EXPECT_EQ(result.code, 10) << result.err;
  }
}

}  // namespace
}  // namespace m2st::test
