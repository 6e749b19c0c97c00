// Products head by head against the naive reference.
#include <gtest/gtest.h>

#include <utility>

#include "kernels/project_heads.h"
#include "test_backend.h"
#include "tests/kernels/attention_cases.h"
#include "tests/reference/features.h"
#include "tests/support/expect_error.h"
#include "tests/support/thread_counts.h"

namespace m2st::test {
namespace {

using kernels::Accumulate;

struct Sizes {
  std::int64_t rows;
  reference::Heads heads;
  std::int64_t features;  // of a head's output
};

// Around tiles and chunks, single rows (attention vectors), inner dimensions that are cut into
// slices, and enough rows for the larger tiles.
std::vector<Sizes> all_sizes() {
  return {{0, {2, 3}, 4},    {1, {4, 16}, 20},  {1, {2, 600}, 5},   {31, {1, 33}, 32},
          {32, {3, 31}, 33}, {33, {4, 7}, 1},   {300, {2, 65}, 40}, {700, {1, 9}, 130},
          {90, {2, 600}, 3}, {2100, {4, 5}, 6}, {1500, {8, 2}, 3}};
}

// Sums of up to 2,100 products of order 1.
template <class T>
Tolerance long_sum_tolerance() {
  return relative_error(128 * static_cast<double>(std::numeric_limits<T>::epsilon()));
}

template <class T>
struct Heads {
  explicit Heads(const Sizes& sizes)
      : heads(sizes.heads),
        outputs(sizes.heads.count * sizes.features),
        x(random_values<T>(sizes.rows * heads.row(), 1)),
        weight(random_values<T>(outputs * heads.width, 2)),
        bias(random_values<T>(outputs, 3)),
        grad_out(random_values<T>(sizes.rows * outputs, 4)),
        out(garbage<T>(sizes.rows * outputs)),
        grad_x(garbage<T>(std::ssize(x))),
        grad_weight(garbage<T>(std::ssize(weight))) {}
  MatrixView<const T> rows() const { return matrix(x, heads.row()); }
  MatrixView<const T> weights() const { return matrix(weight, heads.width); }

  void forward(Backend& context, Span<const T> shift, Accumulate accumulate) {
    kernels::project_heads<T>(context, heads.count, rows(), weights(), shift, matrix(out, outputs),
                              accumulate);
  }
  void backward(Backend& context, Accumulate accumulate) {
    kernels::project_heads_backward_x<T>(context, heads.count,
                                         matrix(std::as_const(grad_out), outputs), weights(),
                                         matrix(grad_x, heads.row()));
    kernels::project_heads_backward_weight<T>(context, heads.count,
                                              matrix(std::as_const(grad_out), outputs), rows(),
                                              matrix(grad_weight, heads.width), accumulate);
  }

  reference::Heads heads;
  std::int64_t outputs;
  std::vector<T> x, weight, bias, grad_out;
  std::vector<T> out, grad_x, grad_weight;
};

template <class T>
class ProjectHeads : public ::testing::Test {
 protected:
  Backend context_{2};
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ProjectHeads, Scalars);

TYPED_TEST(ProjectHeads, ForwardMatchesReference) {
  using T = TypeParam;
  for (const Sizes& sizes : all_sizes()) {
    Heads<T> job(sizes);

    job.forward(this->context_, std::as_const(job.bias), Accumulate::kOverwrite);

    auto want = reference::project_heads(job.heads, as_double(job.x), as_double(job.weight));
    for (std::size_t k = 0; k < want.size(); ++k) want[k] += job.bias[k % job.bias.size()];
    EXPECT_TRUE(near(job.out, want, long_sum_tolerance<T>(), job.outputs)) << sizes.rows;
  }
}

TYPED_TEST(ProjectHeads, ForwardIsAddedWhenAsked) {
  using T = TypeParam;
  for (const Sizes& sizes : all_sizes()) {
    Heads<T> job(sizes);
    const std::vector<T> start = job.out = random_values<T>(std::ssize(job.out), 9);

    job.forward(this->context_, {}, Accumulate::kAdd);

    const auto product =
        reference::project_heads(job.heads, as_double(job.x), as_double(job.weight));
    EXPECT_TRUE(near(job.out, sum_of(start, product), long_sum_tolerance<T>(), job.outputs));
  }
}

TYPED_TEST(ProjectHeads, BackwardMatchesReference) {
  using T = TypeParam;
  for (const Sizes& sizes : all_sizes()) {
    Heads<T> job(sizes);
    const auto want = reference::project_heads_vjp(job.heads, as_double(job.x),
                                                   as_double(job.weight), as_double(job.grad_out));

    job.backward(this->context_, Accumulate::kOverwrite);

    EXPECT_TRUE(near(job.grad_x, want.x, long_sum_tolerance<T>(), job.heads.row())) << sizes.rows;
    EXPECT_TRUE(near(job.grad_weight, want.weight, long_sum_tolerance<T>())) << sizes.rows;

    const std::vector<T> start = job.grad_weight = random_values<T>(std::ssize(job.weight), 9);
    job.backward(this->context_, Accumulate::kAdd);

    EXPECT_TRUE(near(job.grad_weight, sum_of(start, want.weight), long_sum_tolerance<T>()));
  }
}

TYPED_TEST(ProjectHeads, GivesTheSameBytesForAnyThreads) {
  using T = TypeParam;
  expect_same_bytes_for_any_threads<Backend>([](Backend& context) {
    Heads<T> job({2100, {4, 21}, 33});
    job.forward(context, std::as_const(job.bias), Accumulate::kOverwrite);
    job.backward(context, Accumulate::kOverwrite);
    for (const auto* part : {&job.grad_x, &job.grad_weight}) {
      job.out.insert(job.out.end(), part->begin(), part->end());
    }
    return job.out;
  });
}

TYPED_TEST(ProjectHeads, RefusesShapesThatDoNotFit) {
  using T = TypeParam;
  Heads<T> job({5, {2, 3}, 4});
  job.heads.count = 3;

  expect_error(ExitCode::kInternal, {"project_heads: 3 heads of a weight of 8 rows"},
               [&] { job.forward(this->context_, {}, Accumulate::kOverwrite); });
}

}  // namespace
}  // namespace m2st::test
