// edge_softmax and its backward on every backend of this build, one test body for all: memory
// through the context's pool, explicit copies, the naive reference as oracle.
#include <gtest/gtest.h>

#include <memory>
#include <ostream>

#include "engine/array.h"
#include "engine/context.h"
#include "engine/copy.h"
#include "engine/cuda_context.h"
#include "kernels/edge_softmax.h"
#include "tests/kernels/attention_cases.h"
#include "tests/support/expect_error.h"

namespace m2st::test {
namespace {

using AnyContext = BasicContext<CpuContext, CudaContext>;
using kernels::Accumulate;

enum class Device { kCpu, kCuda };

void PrintTo(Device device, std::ostream* out) {
  *out << (device == Device::kCpu ? "cpu" : "cuda");
}

class EdgeSoftmaxOn : public ::testing::TestWithParam<Device> {
 protected:
  void SetUp() override {
    if (GetParam() == Device::kCpu) {
      context_ = std::make_unique<AnyContext>(std::make_unique<CpuContext>(2));
      return;
    }
    if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
      GTEST_SKIP() << "no CUDA device: " << reason;
    }
    context_ = std::make_unique<AnyContext>(std::make_unique<CudaContext>());
  }

  template <class T>
  Array<T> on_device(Span<const T> values) {
    Array<T> array(context_->pool(), static_cast<std::int64_t>(values.size()));
    context_->dispatch([&](auto& c) { copy_in<T>(c, values, array.span()); });
    return array;
  }
  template <class T>
  std::vector<T> on_host(const Array<T>& array) {
    std::vector<T> values(static_cast<std::size_t>(array.size()));
    context_->dispatch([&](auto& c) { copy_out<T>(c, array.span(), values); });
    return values;
  }

  template <class T>
  std::vector<T> forward(const CsrView& graph, std::int64_t heads, const std::vector<T>& scores);
  template <class T>
  std::vector<T> backward(const CsrView& graph, std::int64_t heads, const std::vector<T>& weights,
                          const std::vector<T>& grad_weights, const std::vector<T>& start,
                          Accumulate accumulate);
  template <class T>
  void expect_reference(const AttentionCase& c);

  std::unique_ptr<AnyContext> context_;
};

template <class T>
std::vector<T> EdgeSoftmaxOn::forward(const CsrView& graph, std::int64_t heads,
                                      const std::vector<T>& scores) {
  const auto offsets = on_device<std::int64_t>(graph.offsets);
  const auto sources = on_device<std::int32_t>(graph.sources);
  const auto x = on_device<T>(scores);
  auto out = on_device<T>(garbage<T>(x.size()));
  const CsrView there{offsets.span(), sources.span()};
  context_->dispatch([&](auto& c) {
    kernels::edge_softmax<T>(c, there, {x.data(), there.edges(), heads},
                             {out.data(), there.edges(), heads});
  });
  return on_host(out);
}

template <class T>
std::vector<T> EdgeSoftmaxOn::backward(const CsrView& graph, std::int64_t heads,
                                       const std::vector<T>& weights,
                                       const std::vector<T>& grad_weights,
                                       const std::vector<T>& start, Accumulate accumulate) {
  const auto offsets = on_device<std::int64_t>(graph.offsets);
  const auto sources = on_device<std::int32_t>(graph.sources);
  const auto w = on_device<T>(weights);
  const auto grad = on_device<T>(grad_weights);
  auto out = on_device<T>(start);
  const CsrView there{offsets.span(), sources.span()};
  context_->dispatch([&](auto& c) {
    kernels::edge_softmax_backward<T>(c, there, {w.data(), there.edges(), heads},
                                      {grad.data(), there.edges(), heads},
                                      {out.data(), there.edges(), heads}, accumulate);
  });
  return on_host(out);
}

template <class T>
void EdgeSoftmaxOn::expect_reference(const AttentionCase& c) {
  const CsrView graph = c.graph.view().in;
  const std::int64_t heads = c.heads.count;
  const std::int64_t size = graph.edges() * heads;
  const auto scores = random_values<T>(size, 1), grad_weights = random_values<T>(size, 2);
  const auto start = random_values<T>(size, 3);

  const std::vector<T> weights = forward(graph, heads, scores);
  const std::vector<T> overwritten =
      backward(graph, heads, weights, grad_weights, garbage<T>(size), Accumulate::kOverwrite);
  const std::vector<T> added =
      backward(graph, heads, weights, grad_weights, start, Accumulate::kAdd);

  const auto gradient =
      reference::edge_softmax_vjp(graph, heads, as_double(weights), as_double(grad_weights));
  EXPECT_TRUE(near(weights, reference::edge_softmax(graph, heads, as_double(scores)),
                   sum_tolerance<T>(), heads))
      << c.name;
  EXPECT_TRUE(near(overwritten, gradient, sum_tolerance<T>(), heads)) << c.name;
  EXPECT_TRUE(near(added, sum_of(start, gradient), sum_tolerance<T>(), heads)) << c.name;
}

// The cases of the CPU's tests, and more heads than a warp has lanes.
std::vector<AttentionCase> all_cases() {
  std::vector<AttentionCase> cases = attention_cases();
  cases.push_back({"40 heads", random_graph(50, 1), {40, 1}});
  return cases;
}

TEST_P(EdgeSoftmaxOn, MatchesReferenceInFloat) {
  for (const AttentionCase& c : all_cases()) expect_reference<float>(c);
}

TEST_P(EdgeSoftmaxOn, MatchesReferenceInDouble) {
  for (const AttentionCase& c : all_cases()) expect_reference<double>(c);
}

TEST_P(EdgeSoftmaxOn, GivesTheSameBytesTwice) {
  const TestGraph graph = random_graph(300, 3, {.hub_degree = 1000});
  const auto scores = random_values<float>(graph.edges() * 4, 1);

  const std::vector<float> first = forward(graph.view().in, 4, scores);

  EXPECT_EQ(forward(graph.view().in, 4, scores), first);
}

TEST_P(EdgeSoftmaxOn, LargeScoresDoNotOverflow) {
  const TestGraph graph = make_graph({{0, 1}, {0, 1}});

  const std::vector<float> weights = forward<float>(graph.view().in, 1, {3e38f, 3e38f, -3e38f, 0});

  EXPECT_EQ(weights, (std::vector<float>{0.5f, 0.5f, 0.0f, 1.0f}));
}

INSTANTIATE_TEST_SUITE_P(Backends, EdgeSoftmaxOn, ::testing::Values(Device::kCpu, Device::kCuda),
                         ::testing::PrintToStringParamName());

TEST(CudaContext, WithoutADeviceSaysSoInOneLine) {
  if (why_no_cuda_device().empty()) GTEST_SKIP() << "there is a CUDA device";

  expect_error(ExitCode::kDevice, {"cuda: no device can be used: ", why_no_cuda_device()},
               [] { CudaContext context; });
}

TEST(CudaContext, RefusesADeviceThatIsNotThere) {
  if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
    GTEST_SKIP() << "no CUDA device: " << reason;
  }

  expect_error(ExitCode::kDevice, {"there is no device 1000"}, [] { CudaContext context(1000); });
}

}  // namespace
}  // namespace m2st::test
