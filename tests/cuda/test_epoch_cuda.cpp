// What an epoch needs to run without its host: the mask's lists, draws and steps whose epoch lies
// in device memory, losses that stay there. Against naive loops, or the same kernel with a host
// epoch.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/epoch.h"
#include "tests/backends/cuda/test_backend.h"
#include "tests/cuda/on_device.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_graph.h"

namespace m2st::kernels {
namespace {

using test::expect_error;
using test::make_graph;
using test::random_graph;
using test::random_values;
using test::StagedCuda;
using test::TestGraph;

constexpr std::uint32_t kEpoch = 5;

class EpochOnCuda : public test::OnDevice<StagedCuda> {
 protected:
  std::vector<std::uint32_t> epoch_{kEpoch};
};

// ids[row], a permutation that is not the identity.
std::vector<std::int32_t> scattered_ids(std::int64_t nodes) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(nodes));
  std::iota(ids.begin(), ids.end(), 0);
  std::reverse(ids.begin(), ids.end());
  if (nodes > 2) std::swap(ids[0], ids[1]);
  return ids;
}

std::vector<std::int64_t> every_third(std::int64_t nodes) {
  std::vector<std::int64_t> flags(static_cast<std::size_t>(nodes));
  for (std::size_t row = 0; row < flags.size(); ++row) flags[row] = row % 3 == 0 ? 1 : 0;
  return flags;
}

TEST_F(EpochOnCuda, FlagsTheRowsOfTheLowestTickets) {
  const RandomKey key{7, stream_of(Purpose::kMask, 0), kEpoch};
  for (const std::int64_t nodes : {0, 1, 31, 32, 33, 1500}) {
    const std::vector<std::int32_t> ids = scattered_ids(nodes);
    std::vector<std::int32_t> rows_of_ids(ids.size());
    std::vector<std::pair<std::uint64_t, std::int32_t>> tickets;
    for (std::size_t row = 0; row < ids.size(); ++row) {
      rows_of_ids[static_cast<std::size_t>(ids[row])] = static_cast<std::int32_t>(row);
      const PhiloxBlock bits = random_block(key, static_cast<std::uint32_t>(ids[row]), 0);
      tickets.emplace_back(static_cast<std::uint64_t>(bits.word[0]) << 32 | bits.word[1],
                           static_cast<std::int32_t>(row));
    }
    std::sort(tickets.begin(), tickets.end());
    const std::int64_t count = nodes / 2;
    std::vector<std::int64_t> want(ids.size(), 0), got(ids.size(), -1);
    for (std::int64_t k = 0; k < count; ++k) {
      want[static_cast<std::size_t>(tickets[static_cast<std::size_t>(k)].second)] = 1;
    }

    cuda_->run(
        [&](CudaContext& cuda, auto epoch, auto rows, auto flags) {
          const RandomKey there{key.seed, key.stream, 0, epoch.data()};
          flag_lowest_tickets(cuda, there, count, rows, flags);
        },
        Span<const std::uint32_t>(epoch_), Span<const std::int32_t>(rows_of_ids),
        Span<std::int64_t>(got));

    EXPECT_EQ(got, want) << nodes;
  }
}

TEST_F(EpochOnCuda, SplitsRowsInOrder) {
  for (const std::int64_t nodes : {0, 1, 31, 32, 33, 1500}) {
    const std::vector<std::int32_t> ids = scattered_ids(nodes);
    const std::vector<std::int64_t> flags = every_third(nodes);
    std::vector<std::int32_t> want[4], got[4];
    for (std::size_t row = 0; row < flags.size(); ++row) {
      const int list = flags[row] != 0 ? 0 : 2;
      want[list].push_back(static_cast<std::int32_t>(row));
      want[list + 1].push_back(ids[row]);
    }
    for (int list = 0; list < 4; ++list) got[list].resize(want[list].size(), -1);

    cuda_->run(
        [](CudaContext& cuda, auto flag, auto id, auto a, auto b, auto c, auto d) {
          split_rows(cuda, flag, id, {a, b, c, d});
        },
        Span<const std::int64_t>(flags), Span<const std::int32_t>(ids), Span<std::int32_t>(got[0]),
        Span<std::int32_t>(got[1]), Span<std::int32_t>(got[2]), Span<std::int32_t>(got[3]));

    for (int list = 0; list < 4; ++list) EXPECT_EQ(got[list], want[list]) << nodes;
  }
}

// The graph whose in-edges are those of the flagged nodes; with `silent`, edges from flagged nodes
// are counted there instead.
TestGraph naive_edges_into(const TestGraph& graph, const std::vector<std::int64_t>& flags,
                           std::int64_t flag, std::vector<std::int32_t>* silent) {
  std::vector<std::vector<std::int32_t>> sources_of(flags.size());
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] != flag) continue;
    for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
      const auto source = static_cast<std::size_t>(graph.sources[e]);
      if (silent != nullptr && flags[source] == flag) {
        ++(*silent)[i];
      } else {
        sources_of[i].push_back(graph.sources[e]);
      }
    }
  }
  return make_graph(sources_of);
}

TEST_F(EpochOnCuda, KeepsTheEdgesIntoFlaggedNodes) {
  for (const std::int64_t nodes : {0, 1, 31, 32, 33, 700}) {
    const TestGraph graph = random_graph(nodes, 3, {.hub_degree = nodes > 100 ? 1000 : 40});
    const std::vector<std::int64_t> flags = every_third(nodes);
    for (const auto& [flag, quiet] : {std::pair{0, false}, {1, false}, {0, true}, {1, true}}) {
      std::vector<std::int32_t> want_silent(quiet ? flags.size() : 0, 0), silent(want_silent);
      const TestGraph want = naive_edges_into(graph, flags, flag, quiet ? &want_silent : nullptr);
      const auto edges = static_cast<std::size_t>(graph.edges());
      std::vector<std::int64_t> in(flags.size() + 1), out(in), out_edges(edges);
      std::vector<std::int32_t> sources(edges), destinations(edges);

      cuda_->run(
          [&, wanted = flag](CudaContext& cuda, GraphView there, auto f, auto a, auto b, auto c,
                             auto d, auto e, auto g) {
            edges_into(cuda, there, f, wanted, {a, b, c, d, e, g});
          },
          graph.view(), Span<const std::int64_t>(flags), Span<std::int64_t>(in),
          Span<std::int32_t>(sources), Span<std::int64_t>(out), Span<std::int32_t>(destinations),
          Span<std::int64_t>(out_edges), Span<std::int32_t>(silent));

      sources.resize(want.sources.size());
      destinations.resize(want.sources.size());
      out_edges.resize(want.sources.size());
      EXPECT_EQ(in, want.offsets) << nodes;
      EXPECT_EQ(sources, want.sources) << nodes;
      EXPECT_EQ(out, want.out_offsets) << nodes;
      EXPECT_EQ(destinations, want.out_destinations) << nodes;
      EXPECT_EQ(out_edges, want.out_edges) << nodes;
      EXPECT_EQ(silent, want_silent) << nodes;
    }
  }
}

TEST_F(EpochOnCuda, DropoutDrawsForTheEpochInMemory) {
  const std::int64_t rows = 33, cols = 20;
  const std::vector<std::int32_t> ids = scattered_ids(rows);
  const auto x = random_values<float>(rows * cols, 4);
  std::vector<float> want(x.size()), got(x.size());
  const RandomKey key{9, stream_of(Purpose::kFeatureDropout, 1), kEpoch};

  dropout<float>(*cuda_, key, 0.3, ids, {x.data(), rows, cols}, {want.data(), rows, cols},
                 Accumulate::kOverwrite);
  cuda_->run(
      [&](CudaContext& cuda, auto epoch, auto id, auto from, auto to) {
        dropout<float>(cuda, {key.seed, key.stream, 0, epoch.data()}, 0.3, id, from, to,
                       Accumulate::kOverwrite);
      },
      Span<const std::uint32_t>(epoch_), Span<const std::int32_t>(ids),
      MatrixView<const float>{x.data(), rows, cols}, MatrixView<float>{got.data(), rows, cols});

  EXPECT_EQ(got, want);
}

TEST_F(EpochOnCuda, AdamTakesTheStepOfTheEpochInMemory) {
  const AdamOptions options;
  std::vector<AdamFactors<double>> factors;
  for (int step = 1; step <= 8; ++step) factors.push_back(adam_factors<double>(options, step));
  const auto gradient = random_values<double>(300, 5);
  auto parameters = random_values<double>(300, 6), first = random_values<double>(300, 7);
  std::vector<double> second(300, 0.25);
  auto want_parameters = parameters, want_first = first, want_second = second;

  adam_step<double>(*cuda_, options, kEpoch, gradient, Span<double>(want_first),
                    Span<double>(want_second), Span<double>(want_parameters));
  cuda_->run([](CudaContext& cuda, auto... there) { adam_step_of_epoch<double>(cuda, there...); },
             Span<const AdamFactors<double>>(factors), Span<const std::uint32_t>(epoch_),
             Span<const double>(gradient), Span<double>(first), Span<double>(second),
             Span<double>(parameters));

  EXPECT_EQ(parameters, want_parameters);
  EXPECT_EQ(first, want_first);
  EXPECT_EQ(second, want_second);
}

TEST_F(EpochOnCuda, EndKeepsTheLossesInTheEpochsRow) {
  const std::vector<double> losses{0.5, 0.25, 0.125};
  std::vector<double> history(9, -1);

  cuda_->run([](CudaContext& cuda, auto... there) { end_epoch(cuda, there...); },
             Span<const double>(losses), MatrixView<double>{history.data(), 3, 3},
             Span<std::uint32_t>(epoch_));

  EXPECT_EQ(history, (std::vector<double>{-1, -1, -1, 0.5, 0.25, 0.125, -1, -1, -1}));
  EXPECT_EQ(epoch_.front(), kEpoch + 1);
}

TEST_F(EpochOnCuda, LossesStayOnTheDeviceWhenAsked) {
  const std::int64_t rows = 40, cols = 7;
  const auto target = random_values<float>(rows * cols, 1),
             output = random_values<float>(rows * cols, 2);
  const MatrixView<const float> t{target.data(), rows, cols}, o{output.data(), rows, cols};
  for (const std::size_t count : {0u, 1u, 40u}) {
    const std::vector<std::int32_t> listed = scattered_ids(static_cast<std::int64_t>(count));
    const Span<const std::int32_t> list(listed);
    std::vector<double> cosine(1, -1), square(1, -1);

    cuda_->run([](CudaContext& cuda, auto l, auto x, auto y,
                  auto out) { scaled_cosine_loss<float>(cuda, l, 2.0, x, y, out); },
               list, t, o, Span<double>(cosine));
    cuda_->run([](CudaContext& cuda, auto... there) { mse_loss<float>(cuda, there...); }, list, t,
               o, Span<double>(square));

    EXPECT_EQ(cosine.front(), scaled_cosine_loss<float>(*cuda_, list, 2.0, t, o));
    EXPECT_EQ(square.front(), mse_loss<float>(*cuda_, list, t, o));
  }
}

TEST_F(EpochOnCuda, WrongSizesAreNamed) {
  CudaContext cuda;
  std::vector<std::int32_t> three(3);
  std::vector<std::int64_t> two(2);

  expect_error(ExitCode::kInternal, {"flag_lowest_tickets", "got 2", "need 3"},
               [&] { flag_lowest_tickets(cuda, {}, 1, three, two); });
  expect_error(ExitCode::kInternal, {"split_rows", "3 ids"},
               [&] { split_rows(cuda, two, three, {}); });
}

}  // namespace
}  // namespace m2st::kernels
