// Starts shared by batches of a sweep: prepared once a specific dimension, whoever asks.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "cluster/shared_start.h"
#include "cluster/stacked_gram.h"
#include "engine/check.h"
#include "engine/parallel.h"
#include "tests/support/random_dense.h"

namespace m2st::cluster {
namespace {

class SharedStarts : public testing::Test {
 protected:
  SharedStarts() {
    for (const std::int64_t width : {6, 4}) {
      const auto x = test::random_dense<float>(40, width, static_cast<std::uint64_t>(width));
      for (Matrix<double>& view : reference_data<float>(context_, {test::view_of(x)}, true)) {
        data_.push_back(std::move(view));
      }
    }
    gram_ = data_gram(context_, data_);
  }
  static ReferenceOptions with_dimension(int specific_dim, double lambda1) {
    ReferenceOptions options;
    options.clusters = 3;
    options.specific_dim = specific_dim;
    options.lambda1 = lambda1;
    return options;
  }
  std::shared_ptr<const PreparedStart> ask(SharedStart& shared, int specific_dim,
                                           double lambda1 = 1) {
    return shared.of(context_, data_, gram_.view(), with_dimension(specific_dim, lambda1));
  }

  CpuContext context_{5};
  std::vector<Matrix<double>> data_;
  Matrix<double> gram_;
};

TEST_F(SharedStarts, ADimensionIsPreparedOnce) {
  SharedStart shared({});
  const auto first = ask(shared, 3);

  EXPECT_EQ(ask(shared, 3, 7), first);
  const auto other = ask(shared, 2);
  const auto again = ask(shared, 3);

  EXPECT_NE(other, first);
  EXPECT_NE(again, first);
  EXPECT_EQ(other->reduced().state.views[0].specific_map.rows(), 2);
  EXPECT_EQ(again->reduced().norms, first->reduced().norms);
  EXPECT_TRUE(std::ranges::equal(again->reduced().gram.span(), first->reduced().gram.span()));
}

TEST_F(SharedStarts, IsTheStartThatWasGiven) {
  const ReferenceOptions options = with_dimension(3, 1);
  ReferenceState state = initial_state(context_, data_, options);
  std::ranges::fill(state.labels, 2);
  const ReducedStart want(context_, data_, gram_.view(), options, state);
  const std::vector<double> norms = want.norms;
  SharedStart shared(std::move(state));

  const auto got = ask(shared, 3);

  EXPECT_EQ(got->reduced().state.labels, std::vector<std::int32_t>(40, 2));
  EXPECT_EQ(got->reduced().norms, norms);
}

TEST_F(SharedStarts, RefusesAStartThatDoesNotFit) {
  ReferenceState state = initial_state(context_, data_, with_dimension(3, 1));
  state.labels.pop_back();
  SharedStart shared(std::move(state));

  EXPECT_THROW(ask(shared, 3), Error);
}

TEST_F(SharedStarts, ThreadsThatAskTogetherGetOneStart) {
  SharedStart shared({});
  std::vector<std::shared_ptr<const PreparedStart>> got(20);

  parallel_for(context_, std::ssize(got), 1, [&](std::int64_t i, std::int64_t) {
    got[static_cast<std::size_t>(i)] = ask(shared, 3);
  });

  for (const auto& start : got) EXPECT_EQ(start, got.front());
}

}  // namespace
}  // namespace m2st::cluster
