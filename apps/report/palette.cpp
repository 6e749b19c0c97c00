// The palettes' values are those of scanpy's default_20 and default_28.
#include "apps/report/palette.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace m2st::apps {

namespace {

constexpr std::array<const char*, 20> kTwenty = {
    "#1f77b4", "#ff7f0e", "#279e68", "#d62728", "#aa40fc", "#8c564b", "#e377c2",
    "#b5bd61", "#17becf", "#aec7e8", "#ffbb78", "#98df8a", "#ff9896", "#c5b0d5",
    "#c49c94", "#f7b6d2", "#dbdb8d", "#9edae5", "#ad494a", "#8c6d31"};

constexpr std::array<const char*, 28> kTwentyEight = {
    "#023fa5", "#7d87b9", "#bec1d4", "#d6bcc0", "#bb7784", "#8e063b", "#4a6fe3",
    "#8595e1", "#b5bbe3", "#e6afb9", "#e07b91", "#d33f6a", "#11c638", "#8dd593",
    "#c6dec7", "#ead3c6", "#f0b98d", "#ef9708", "#0fcfc0", "#9cded6", "#d5eae7",
    "#f3e1eb", "#f6c4e1", "#f79cd4", "#7f7f7f", "#c7c7c7", "#1ce6ff", "#336600"};

// Turns by the golden angle, at three lightnesses.
std::string hue_colour(int index) {
  constexpr double kGoldenTurn = 0.6180339887498949;
  constexpr double kSaturation = 0.65;
  const double turn = index * kGoldenTurn;
  const double hue = 6 * (turn - std::floor(turn));
  const double lightness = 0.40 + 0.12 * (index % 3);
  const double chroma = (1 - std::abs(2 * lightness - 1)) * kSaturation;
  const auto channel = [&](double offset) {
    const double place = std::fmod(hue + offset, 6.0);
    const double ramp = std::min(std::max(std::abs(place - 3) - 1, 0.0), 1.0);
    return static_cast<int>(std::lround(255 * (lightness + chroma * (ramp - 0.5))));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(0), channel(4), channel(2));
}

}  // namespace

std::string domain_colour(int index, int count) {
  if (count <= static_cast<int>(kTwenty.size())) return kTwenty[static_cast<std::size_t>(index)];
  if (count <= static_cast<int>(kTwentyEight.size())) {
    return kTwentyEight[static_cast<std::size_t>(index)];
  }
  return hue_colour(index);
}

}  // namespace m2st::apps
