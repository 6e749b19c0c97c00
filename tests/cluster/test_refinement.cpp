// Majority refinement on graphs small enough to check by eye.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "cluster/refinement.h"
#include "engine/check.h"

namespace m2st {
namespace {

using cluster::refine_labels;
using cluster::RefinementOptions;
using Labels = std::vector<std::int32_t>;

struct Neighbours {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> sources;
  CsrView view() const { return {offsets, sources}; }
};

Neighbours from_lists(const std::vector<std::vector<std::int32_t>>& lists) {
  Neighbours out;
  for (const auto& list : lists) {
    out.sources.insert(out.sources.end(), list.begin(), list.end());
    out.offsets.push_back(static_cast<std::int64_t>(out.sources.size()));
  }
  return out;
}

// Cells 0 .. n − 1 in a row, each beside the next `reach` on either side.
Neighbours line(std::int32_t n, std::int32_t reach) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(n));
  for (std::int32_t i = 0; i < n; ++i) {
    for (std::int32_t j = std::max(0, i - reach); j <= std::min(n - 1, i + reach); ++j) {
      if (i != j) lists[static_cast<std::size_t>(i)].push_back(j);
    }
  }
  return from_lists(lists);
}

TEST(Refinement, LonelyCellJoinsItsSurroundings) {
  CpuContext context(1);
  const Labels labels{0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1};

  const Labels refined = refine_labels(context, line(11, 2).view(), labels, {});

  EXPECT_EQ(refined, (Labels{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}));
}

TEST(Refinement, BordersStay) {
  CpuContext context(1);
  const Labels labels{0, 0, 0, 0, 1, 1, 1, 1};

  EXPECT_EQ(refine_labels(context, line(8, 2).view(), labels, {.iterations = 10}), labels);
}

TEST(Refinement, ShareSaysHowManyMustDiffer) {
  CpuContext context(1);
  // Cell 0 has four neighbours, three of another label.
  const auto star = from_lists({{1, 2, 3, 4}, {0, 2}, {1, 3}, {2, 1}, {0}});
  const Labels labels{0, 1, 1, 1, 0};

  EXPECT_EQ(refine_labels(context, star.view(), labels, {.share = 0.7})[0], 1);
  EXPECT_EQ(refine_labels(context, star.view(), labels, {.share = 0.75})[0], 0);
}

TEST(Refinement, OwnLabelWinsTiesThenTheLowest) {
  CpuContext context(1);
  const auto star = from_lists({{1, 2, 3, 4}, {}, {}, {}, {}, {6, 7, 8, 9}, {}, {}, {}, {}});
  // Cell 0: itself and cell 1 against two of label 1. Cell 5: two of 4 and two of 3 against itself.
  const Labels labels{2, 2, 1, 1, 0, 5, 4, 4, 3, 3};

  const Labels refined = refine_labels(context, star.view(), labels, {.share = 0.5});

  EXPECT_EQ(refined[0], 2);
  EXPECT_EQ(refined[5], 5);  // the only cell of its label keeps it
  Labels twice = labels;
  twice.push_back(5);
  auto with_another = star;
  with_another.offsets.push_back(with_another.offsets.back());
  EXPECT_EQ(refine_labels(context, with_another.view(), twice, {})[5], 3);
}

TEST(Refinement, AllCellsMoveAtOnce) {
  CpuContext context(1);
  // A ring of alternating labels: every cell's two neighbours differ, so all of them swap.
  const auto ring = from_lists({{1, 3}, {0, 2}, {1, 3}, {2, 0}});

  EXPECT_EQ(refine_labels(context, ring.view(), Labels{0, 1, 0, 1}, {}), (Labels{1, 0, 1, 0}));
  EXPECT_EQ(refine_labels(context, ring.view(), Labels{0, 1, 0, 1}, {.iterations = 2}),
            (Labels{0, 1, 0, 1}));
}

TEST(Refinement, WithoutAGraphOrCellsNothingMoves) {
  CpuContext context(1);

  EXPECT_EQ(refine_labels(context, {}, Labels{0, 1, 0}, {}), (Labels{0, 1, 0}));
  EXPECT_EQ(refine_labels(context, from_lists({}).view(), Labels{}, {}), Labels{});
  EXPECT_EQ(refine_labels(context, from_lists({{}}).view(), Labels{3}, {}), Labels{3});
}

TEST(Refinement, NumberOfThreadsChangesNothing) {
  const auto graph = line(5000, 3);
  Labels labels(5000);
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int32_t>(i * i % 11 / 3);
  CpuContext one(1), five(5);

  EXPECT_EQ(refine_labels(five, graph.view(), labels, {.iterations = 3}),
            refine_labels(one, graph.view(), labels, {.iterations = 3}));
}

TEST(Refinement, WrongGraphIsNamed) {
  CpuContext context(1);

  EXPECT_THROW(refine_labels(context, line(3, 1).view(), Labels{0, 0}, {}), Error);
}

}  // namespace
}  // namespace m2st
