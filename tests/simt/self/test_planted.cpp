// Every planted bug is caught by at least the modes named here, and none of the corrected twins is
// complained about in any mode. Each runs in a program of its own, built in three ways.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace m2st::simt {
namespace {

struct Mode {
  std::string environment;
  std::string program = M2ST_PLANTED;
};

// One worker: what goes wrong must not depend on this machine.
const std::string kChecked = "M2ST_EXACT_MEMORY=1 M2ST_SIMT_WORKERS=1 ";

const std::map<std::string, Mode>& modes() {
  static const std::map<std::string, Mode> kModes = {
      {"forward", {kChecked}},
      {"reverse", {kChecked + "M2ST_SIMT_ORDER=reverse"}},
      {"random", {kChecked + "M2ST_SIMT_ORDER=random M2ST_SIMT_SEED=1"}},
      {"workers", {"M2ST_SIMT_WORKERS=3"}},
      {"guarded", {kChecked + "M2ST_SIMT_HOST_ACCESS=forbidden"}},
      {"lazy", {"M2ST_SIMT_STREAMS=lazy"}},
      {"lazy_reverse", {"M2ST_SIMT_STREAMS=lazy M2ST_SIMT_ORDER=reverse"}},
      {"asan", {kChecked, M2ST_PLANTED_ASAN}},
      {"tsan", {kChecked + "TSAN_OPTIONS=halt_on_error=1", M2ST_PLANTED_TSAN}},
  };
  return kModes;
}

// ThreadSanitizer of g++ 12 cannot start where the kernel spreads addresses wider than it knows.
const std::string kNoTsan = "unexpected memory mapping";

struct Outcome {
  int status;
  std::string output;
};

Outcome run(const Mode& mode, const std::string& name, const std::string& which) {
  const std::string command =
      mode.environment + " " + mode.program + " " + name + " " + which + " 2>&1";
  std::string output;
  FILE* pipe = popen(("env " + command).c_str(), "r");
  std::array<char, 4096> text;
  while (std::fgets(text.data(), text.size(), pipe) != nullptr) output += text.data();
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

// A planted bug, and the modes that catch it with a piece of what each of them says.
struct Case {
  std::string name;
  std::vector<std::pair<std::string, std::string>> caught;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const std::string kRace = "ThreadSanitizer: data race";
const std::string kAddress = "AddressSanitizer: ";
const std::string kWrong = "wrong result";

std::vector<Case> synchronisation_cases() {
  return {
      {"read_before_barrier", {{"forward", kWrong}, {"random", kWrong}, {"tsan", kRace}}},
      {"write_before_all_read", {{"random", kWrong}, {"tsan", kRace}}},
      {"barrier_in_branches", {{"forward", "divergent barrier: thread (0,0,0) waits at barriers"}}},
      {"unequal_trip_counts", {{"forward", "32 threads of its block have returned"}}},
      {"return_before_barrier", {{"forward", "returned while 63 others wait at the barrier"}}},
      {"one_lane_skips_the_warp_barrier", {{"forward", "deadlock: thread (0,0,0) waits at"}}},
      {"wait_for_another_block", {{"forward", "look again and again"}}},
      {"missing_warp_barrier", {{"forward", kWrong}, {"tsan", kRace}}},
      {"shuffle_taken_for_barrier", {{"tsan", kRace}}},
      {"full_mask_in_half_a_warp", {{"forward", "returned while"}, {"reverse", "have returned"}}},
      {"mask_without_the_lane_itself", {{"forward", "leaves out lane 16, which names it"}}},
      {"mask_names_returned_lanes", {{"forward", "names lanes 0x0000ffff, which have returned"}}},
      {"mask_names_lanes_that_are_not", {{"forward", "which the block does not have"}}},
      {"lanes_at_different_lines", {{"forward", "stand at different lines"}}},
      {"shuffle_from_outside_the_mask", {{"forward", "shuffle from lane 20"}}},
      {"lanes_disagree_on_the_mask", {{"forward", "disagree"}, {"reverse", "disagree"}}},
      {"sum_without_atomics_in_a_block", {{"tsan", kRace}}},
      {"sum_without_atomics_across_blocks", {{"tsan", kRace}}},
      {"same_value_stored_by_all", {{"tsan", kRace}}},
      {"last_block_without_fence", {{"tsan", kRace}}},
      {"update_in_place", {{"forward", kWrong}, {"tsan", kRace}}},
      {"two_owners_of_one_output", {{"tsan", kRace}}},
  };
}

std::vector<Case> memory_cases() {
  return {
      {"write_one_too_many", {{"forward", "outside of a block of 400 bytes"}, {"asan", kAddress}}},
      {"read_one_too_many", {{"asan", kAddress}}},
      {"shared_one_too_small",
       {{"forward", "shared memory was written outside"}, {"asan", kAddress}}},
      {"dynamic_shared_too_small",
       {{"forward", "shared memory was written outside"}, {"asan", kAddress}}},
      {"misaligned_vector_load", {{"asan", "misaligned address"}}},
      {"index_overflows", {{"asan", "signed integer overflow"}}},
      {"shared_never_zeroed", {{"forward", kWrong}, {"asan", kWrong}}},
      {"output_never_zeroed", {{"forward", kWrong}}},
      {"static_shared_beyond_its_limit", {{"forward", "more static shared memory than the 49152"}}},
  };
}

std::vector<Case> host_cases() {
  return {
      {"host_pointer_to_a_kernel", {{"forward", "is no device pointer"}}},
      {"freed_memory_to_a_kernel", {{"forward", "is no device pointer"}}},
      {"empty_grid", {{"forward", "invalid configuration argument"}}},
      {"oversized_grid", {{"forward", "invalid configuration argument"}}},
      {"oversized_block", {{"forward", "invalid configuration argument"}}},
      {"dynamic_shared_without_asking", {{"forward", "invalid argument"}}},
      {"dynamic_shared_beyond_the_device", {{"forward", "invalid argument"}}},
      {"default_stream", {{"forward", "double_all is launched on the default stream"}}},
      {"copy_beyond_the_block", {{"forward", "256 bytes do not fit its block"}}},
      {"copy_in_the_wrong_direction", {{"forward", "the direction says"}}},
      {"host_reads_device_memory", {{"guarded", "host code touched device memory"}}},
      {"freed_twice", {{"forward", "no live block"}}},
      {"read_before_the_stream_is_done", {{"lazy", kWrong}}},
      {"other_stream_without_event", {{"lazy_reverse", kWrong}}},
      {"branch_never_joined", {{"forward", "capturing stream has unjoined work"}}},
      {"wait_inside_a_capture", {{"forward", "not permitted when stream is capturing"}}},
      {"allocation_inside_a_capture", {{"forward", "not permitted when stream is capturing"}}},
  };
}

class PlantedBug : public ::testing::TestWithParam<Case> {};

TEST_P(PlantedBug, IsCaught) {
  for (const auto& [mode, words] : GetParam().caught) {
    const Outcome outcome = run(modes().at(mode), GetParam().name, "bug");

    if (outcome.output.find(kNoTsan) != std::string::npos) GTEST_SKIP() << outcome.output;
    EXPECT_NE(outcome.status, 0) << mode;
    EXPECT_NE(outcome.output.find(words), std::string::npos) << mode << " said:\n"
                                                             << outcome.output;
  }
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Synchronisation, PlantedBug, ::testing::ValuesIn(synchronisation_cases()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Memory, PlantedBug, ::testing::ValuesIn(memory_cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Host, PlantedBug, ::testing::ValuesIn(host_cases()), name_of);

class CorrectedTwins : public ::testing::TestWithParam<std::string> {};

TEST_P(CorrectedTwins, AreLeftAlone) {
  const Outcome outcome = run(modes().at(GetParam()), "all", "twins");

  if (outcome.output.find(kNoTsan) != std::string::npos) GTEST_SKIP() << outcome.output;
  EXPECT_EQ(outcome.status, 0) << outcome.output;
}

INSTANTIATE_TEST_SUITE_P(AllModes, CorrectedTwins,
                         ::testing::Values("forward", "reverse", "random", "workers", "guarded",
                                           "lazy", "lazy_reverse", "asan", "tsan"),
                         [](const auto& mode) { return mode.param; });

}  // namespace
}  // namespace m2st::simt
