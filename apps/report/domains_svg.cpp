// One <path> a domain. A dot is a zero-length line with round ends: twelve bytes a cell.
#include "apps/report/domains_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <tuple>
#include <vector>

#include "apps/report/palette.h"

namespace m2st::apps {

namespace {

constexpr double kDrawing = 800;  // longer side of the tissue, in pixels
constexpr double kMargin = 24;
constexpr double kTitleHeight = 28;
constexpr double kLegendWidth = 170;
constexpr double kLegendLine = 20;
constexpr int kLegendLines = 40;  // more domains than this are counted, not listed
constexpr std::size_t kMostDots = 50'000;
constexpr double kDotShare = 0.9;     // of the spacing: dots stay apart
constexpr double kSquareShare = 1.5;  // of the spacing, at least: few squares stay empty

// Maps coordinates to pixels, the same scale on both axes.
struct Frame {
  double x_low = 0;
  double y_low = 0;
  double scale = 1;
  double width = 0;
  double height = 0;
  double spacing = 1;  // between neighbours, were the cells spread evenly

  double x(double value) const { return kMargin + (value - x_low) * scale; }
  double y(double value) const { return kMargin + kTitleHeight + (value - y_low) * scale; }
};

Frame frame_of(MatrixView<const double> coordinates) {
  Frame frame;
  if (coordinates.rows == 0) return frame;
  double x_high = frame.x_low = coordinates(0, 0);
  double y_high = frame.y_low = coordinates(0, 1);
  for (std::int64_t i = 1; i < coordinates.rows; ++i) {
    frame.x_low = std::min(frame.x_low, coordinates(i, 0));
    x_high = std::max(x_high, coordinates(i, 0));
    frame.y_low = std::min(frame.y_low, coordinates(i, 1));
    y_high = std::max(y_high, coordinates(i, 1));
  }
  const double longer = std::max(x_high - frame.x_low, y_high - frame.y_low);
  if (longer > 0) frame.scale = kDrawing / longer;
  frame.width = (x_high - frame.x_low) * frame.scale;
  frame.height = (y_high - frame.y_low) * frame.scale;
  const double cells = static_cast<double>(coordinates.rows);
  // A line of cells has no area; then the spacing is that along the line.
  const double area_spacing = std::sqrt(frame.width * frame.height / cells);
  frame.spacing = std::clamp(std::max(area_spacing, kDrawing / cells), 0.5, 16.0);
  return frame;
}

std::vector<std::string> dots(const Frame& frame, MatrixView<const double> coordinates,
                              Span<const std::int32_t> labels, int count) {
  std::vector<std::string> paths(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < coordinates.rows; ++i) {
    fmt::format_to(std::back_inserter(paths[static_cast<std::size_t>(labels[i])]),
                   "M{:.1f} {:.1f}h0", frame.x(coordinates(i, 0)), frame.y(coordinates(i, 1)));
  }
  return paths;
}

// Rows of squares, each coloured by the domain that most of its cells have (the smaller number on
// a tie); neighbouring squares of one domain become one line.
std::vector<std::string> runs(const Frame& frame, MatrixView<const double> coordinates,
                              Span<const std::int32_t> labels, int count, double side) {
  std::vector<std::tuple<int, int, std::int32_t>> cells;  // row, column, domain
  cells.reserve(labels.size());
  for (std::int64_t i = 0; i < coordinates.rows; ++i) {
    const double x = (coordinates(i, 0) - frame.x_low) * frame.scale;
    const double y = (coordinates(i, 1) - frame.y_low) * frame.scale;
    cells.emplace_back(static_cast<int>(y / side), static_cast<int>(x / side), labels[i]);
  }
  std::sort(cells.begin(), cells.end());
  struct Square {
    int row, column;
    std::int32_t domain;
    std::int64_t votes;
  };
  std::vector<Square> squares;
  for (std::size_t i = 0; i < cells.size();) {
    const auto [row, column, domain] = cells[i];
    std::size_t end = i;
    while (end < cells.size() && cells[end] == cells[i]) ++end;
    const auto votes = static_cast<std::int64_t>(end - i);
    if (squares.empty() || squares.back().row != row || squares.back().column != column) {
      squares.push_back({row, column, domain, votes});
    } else if (votes > squares.back().votes) {
      squares.back() = {row, column, domain, votes};
    }
    i = end;
  }
  std::vector<std::string> paths(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < squares.size();) {
    const Square& first = squares[i];
    int length = 0;
    for (; i < squares.size() && squares[i].row == first.row &&
           squares[i].column == first.column + length && squares[i].domain == first.domain;
         ++i) {
      ++length;
    }
    fmt::format_to(std::back_inserter(paths[static_cast<std::size_t>(first.domain)]),
                   "M{:g} {:g}h{:g}", kMargin + first.column * side,
                   kMargin + kTitleHeight + (first.row + 0.5) * side, length * side);
  }
  return paths;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '<') {
      safe += "&lt;";
    } else if (letter == '&') {
      safe += "&amp;";
    } else {
      safe += letter;
    }
  }
  return safe;
}

void add_legend(std::string& svg, double left, Span<const std::int32_t> labels, int count) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(count), 0);
  for (const std::int32_t label : labels) ++sizes[static_cast<std::size_t>(label)];
  auto out = std::back_inserter(svg);
  double y = kMargin + kTitleHeight;
  for (int domain = 0; domain < std::min(count, kLegendLines); ++domain, y += kLegendLine) {
    fmt::format_to(out,
                   "<rect x=\"{0:.0f}\" y=\"{1:.0f}\" width=\"12\" height=\"12\" fill=\"{2}\"/>"
                   "<text x=\"{3:.0f}\" y=\"{4:.0f}\">domain {5}: {6}</text>\n",
                   left, y, domain_colour(domain, count), left + 18, y + 11, domain,
                   sizes[static_cast<std::size_t>(domain)]);
  }
  if (count > kLegendLines) {
    fmt::format_to(out, "<text x=\"{:.0f}\" y=\"{:.0f}\">and {} more</text>\n", left, y + 11,
                   count - kLegendLines);
  }
}

}  // namespace

std::string domains_svg(MatrixView<const double> coordinates, Span<const std::int32_t> labels,
                        const std::string& title) {
  const Frame frame = frame_of(coordinates);
  const int count = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  const bool dotted = labels.size() <= kMostDots;
  // Whole pixels leave no seams between rows of squares.
  const double stroke =
      dotted ? frame.spacing * kDotShare : std::ceil(frame.spacing * kSquareShare);
  const std::vector<std::string> paths = dotted ? dots(frame, coordinates, labels, count)
                                                : runs(frame, coordinates, labels, count, stroke);
  const double legend_height = kLegendLine * (std::min(count, kLegendLines) + 1);
  const double legend_left = 2 * kMargin + frame.width;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"sans-serif\" font-size=\"13\">\n"
      "<title>{2}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{3:.0f}\" y=\"{4:.0f}\" font-size=\"16\">{2}</text>\n",
      legend_left + kLegendWidth,
      2 * kMargin + kTitleHeight + std::max(frame.height, legend_height), escaped(title), kMargin,
      kMargin + 6);
  for (int domain = 0; domain < count; ++domain) {
    fmt::format_to(std::back_inserter(svg),
                   "<path id=\"domain{}\" stroke=\"{}\" stroke-width=\"{:.2f}\" "
                   "stroke-linecap=\"{}\" fill=\"none\" d=\"{}\"/>\n",
                   domain, domain_colour(domain, count), stroke, dotted ? "round" : "butt",
                   paths[static_cast<std::size_t>(domain)]);
  }
  add_legend(svg, legend_left, labels, count);
  return svg + "</svg>\n";
}

}  // namespace m2st::apps
