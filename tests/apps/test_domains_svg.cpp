// The picture of the domains: what it shows and that it stays small.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "apps/report/domains_svg.h"
#include "apps/report/palette.h"

namespace m2st::apps {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

// A square lattice of side × side cells in `domains` layers.
struct Lattice {
  explicit Lattice(std::int64_t side, int domains) {
    for (std::int64_t i = 0; i < side * side; ++i) {
      coordinates.push_back(static_cast<double>(i % side) * 100);
      coordinates.push_back(static_cast<double>(i / side) * 100);
      labels.push_back(static_cast<std::int32_t>(i / side * domains / side));
    }
  }
  MatrixView<const double> view() const {
    return {coordinates.data(), static_cast<std::int64_t>(labels.size()), 2};
  }
  std::vector<double> coordinates;
  std::vector<std::int32_t> labels;
};

TEST(DomainsSvg, DrawsEveryCellOnceInTheColourOfItsDomain) {
  const Lattice lattice(10, 4);

  const std::string svg = domains_svg(lattice.view(), lattice.labels, "title");

  EXPECT_EQ(count_of(svg, "h0"), 100u);
  EXPECT_EQ(count_of(svg, "<path "), 4u);
  EXPECT_EQ(count_of(svg, "stroke=\"" + domain_colour(3, 4) + "\""), 1u);
  EXPECT_NE(svg.find("domain 0: 30</text>"), std::string::npos);
}

TEST(DomainsSvg, KeepsSmallYAtTheTopAsImagesDo) {
  const std::vector<double> coordinates = {0, 0, 0, 10};
  const std::vector<std::int32_t> labels = {0, 1};

  const std::string svg = domains_svg({coordinates.data(), 2, 2}, labels, "");

  const auto y_of = [&](const std::string& id) {
    const std::size_t start = svg.find("d=\"M", svg.find(id)) + 4;
    return std::stod(svg.substr(svg.find(' ', start)));
  };
  EXPECT_LT(y_of("domain0"), y_of("domain1"));
}

TEST(DomainsSvg, EscapesTheTitle) {
  const Lattice lattice(2, 1);

  const std::string svg = domains_svg(lattice.view(), lattice.labels, "<a & b>");

  EXPECT_NE(svg.find("&lt;a &amp; b>"), std::string::npos);
  EXPECT_EQ(svg.find("<a &"), std::string::npos);
}

TEST(DomainsSvg, HoldsForNoCellsOneCellAndCoincidentCells) {
  const std::vector<double> coordinates(20, 5.0);
  const std::vector<std::int32_t> labels(10, 0);

  for (const std::int64_t cells : {0, 1, 10}) {
    const std::string svg = domains_svg({coordinates.data(), cells, 2},
                                        {labels.data(), static_cast<std::size_t>(cells)}, "");

    EXPECT_EQ(count_of(svg, "h0"), static_cast<std::size_t>(cells));
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(DomainsSvg, StaysSmallAtAMillionCells) {
  constexpr std::size_t kMostBytes = 2 * 1024 * 1024;
  const Lattice lattice(1000, 20);

  const std::string svg = domains_svg(lattice.view(), lattice.labels, "a million cells");

  EXPECT_LT(svg.size(), kMostBytes);
  EXPECT_EQ(count_of(svg, "<path "), 20u);
}

TEST(DomainsSvg, CountsDomainsBeyondTheLegend) {
  const Lattice lattice(10, 10);
  std::vector<std::int32_t> labels(100);
  for (int i = 0; i < 100; ++i) labels[static_cast<std::size_t>(i)] = i;

  const std::string svg = domains_svg(lattice.view(), labels, "");

  EXPECT_NE(svg.find("and 60 more"), std::string::npos);
}

TEST(Palette, GivesEveryDomainAColourOfItsOwn) {
  for (const int count : {1, 20, 21, 28, 29, 60}) {
    std::set<std::string> colours;
    for (int i = 0; i < count; ++i) colours.insert(domain_colour(i, count));

    EXPECT_EQ(colours.size(), static_cast<std::size_t>(count));
    for (const std::string& colour : colours) EXPECT_EQ(colour.size(), 7u);
  }
}

}  // namespace
}  // namespace m2st::apps
