// A sweep whose batch finds less memory than it was cut for. Only the executor's device counts so
// exactly that a test can say what is left.
#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <vector>

#include "cluster/reduced_solver.h"
#include "cluster/solver_memory.h"
#include "cluster/stacked_gram.h"
#include "cluster/sweep.h"
#include "engine/device_memory.h"
#include "engine/placement.h"
#include "engine/random.h"
#include "tests/support/expect_error.h"

namespace m2st::cluster {
namespace {

constexpr std::int64_t kCells = 900, kWidth = 6;
constexpr int kClusters = 4, kSpecific = 3, kSets = 16;
constexpr std::int64_t kMostMemory = 64 << 20;

class ScarceSweep : public testing::Test {
 protected:
  ScarceSweep() : embedding_(device_.host().pool(), kCells, kWidth) {
    const RandomKey key{1, stream_of(Purpose::kTest, 3), 0};
    for (std::int64_t i = 0; i < kCells; ++i) {
      for (std::int64_t c = 0; c < kWidth; ++c) {
        const double noise =
            random_normal(key, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(c));
        embedding_(i, c) = static_cast<float>((c % kClusters == i % kClusters ? 3.0 : 0.0) + noise);
      }
    }
    options_.clusters = kClusters;
    options_.iterations = 2;
    for (int i = 0; i < kSets; ++i) sets_.push_back({0.5 + i, 1e-3, 0.1, kSpecific});
  }

  void SetUp() override {
    if (free_device_bytes(device_) > kMostMemory) {
      GTEST_SKIP() << "would fill a large device; M2ST_SIMT_MEMORY makes it small";
    }
  }

  // Others take all but that many bytes of the device's memory, in blocks of powers of two.
  void leave(std::int64_t bytes) {
    constexpr std::int64_t kSmallest = 64;
    for (std::int64_t rest = free_device_bytes(device_) - bytes; rest >= kSmallest;) {
      const auto block =
          static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rest)));
      others_.emplace_back(device_.pool(), block);
      rest -= block;
    }
  }
  // before_batch: when the batches have been cut.
  std::vector<SweepSolution> solutions(const std::function<void()>& before_batch) {
    const Sweep sweep(device_, {{embedding_.view()}, {}, {}}, options_, {});
    std::vector<SweepSolution> found(sets_.size());
    sweep.run(
        sets_,
        [&](std::size_t i, const SweepRow&, const SweepSolution& solution) { found[i] = solution; },
        [&] {
          before_batch();
          return false;
        });
    return found;
  }
  // All sets at once, as the first batch.
  void solve_together_on_device() {
    const std::vector<Matrix<double>> data =
        reference_data<float>(device_.host(), {embedding_.view()}, true);
    std::vector<ReferenceOptions> options(sets_.size());
    for (ReferenceOptions& set : options) {
      set.clusters = kClusters;
      set.iterations = options_.iterations;
      set.specific_dim = kSpecific;
    }
    const ReferenceState start = initial_state(device_.host(), data, options.front());
    Placement placement(device_);
    solve_together<double>(device_, data, {placement.place(data.front().view())},
                           data_gram(device_.host(), data).view(), options, start);
  }

  Context device_ = cuda_context(0, 1);
  Matrix<float> embedding_;
  SweepOptions options_;
  std::vector<OptionSet> sets_;
  std::vector<Array<std::byte>> others_;
};

TEST_F(ScarceSweep, BatchIsSolvedInParts) {
  const SolverShape shape{kCells, {kWidth}, kSpecific, kClusters, kClusters, sizeof(double)};
  const std::int64_t one = solver_bytes(shape, 1);
  const std::vector<SweepSolution> want = solutions([] {});
  ASSERT_GT(free_device_bytes(device_), solver_bytes(shape, kSets));  // one batch

  const std::vector<SweepSolution> got = solutions([&] { leave(one); });

  for (std::size_t i = 0; i < sets_.size(); ++i) {
    EXPECT_EQ(got[i].labels, want[i].labels) << i;
    EXPECT_EQ(got[i].objective.total(), want[i].objective.total()) << i;
  }
  others_.clear();
  leave(one + cell_bytes(shape));
  test::expect_error(ExitCode::kOutOfMemory, {"cuda:0"}, [&] { solve_together_on_device(); });
}

TEST_F(ScarceSweep, EndsWhereNotOneOptionSetFits) {
  test::expect_error(ExitCode::kOutOfMemory, {"cuda:0"}, [&] { solutions([&] { leave(10000); }); });
}

}  // namespace
}  // namespace m2st::cluster
