// The file is read as a config file whose four keys are lists, so that both say the same errors.
#include "apps/pipeline/sweep_grid.h"

#include <utility>

#include "engine/check.h"

namespace m2st::apps {

namespace {

constexpr int kMostDimensions = 100'000;

std::vector<double> numbers(const std::string& name, const std::vector<std::string>& texts,
                            Range range) {
  std::vector<double> values;
  for (const std::string& text : texts) {
    double value = 0;
    assign({"--" + name, "X", "", "", &value, range}, text);
    values.push_back(value);
  }
  return values;
}

std::vector<int> integers(const std::string& name, const std::vector<std::string>& texts) {
  std::vector<int> values;
  for (const std::string& text : texts) {
    int value = 0;
    assign({"--" + name, "N", "", "", &value, {1, kMostDimensions}}, text);
    values.push_back(value);
  }
  return values;
}

std::vector<Setting> list_settings(GridChoice& choice) {
  const std::string group = "Grid", help = "in place of the grid's";
  return {{"--lambda1", "X...", help, group, &choice.lambda1},
          {"--lambda2", "X...", help, group, &choice.lambda2},
          {"--lambda3", "X...", help, group, &choice.lambda3},
          {"--specific-dim", "N...", help, group, &choice.specific_dim}};
}

// The keys of a grid's file; the width may be spelled either way.
std::vector<Setting> file_settings(GridChoice& choice) {
  std::vector<Setting> settings = list_settings(choice);
  settings.push_back({"--specific_dim", "N...", "", "", &choice.specific_dim});
  return settings;
}

GridChoice read_grid(const std::string& path) {
  GridChoice choice;
  const std::vector<Setting> settings = file_settings(choice);
  for (const GivenValue& value : read_config(path, settings)) {
    for (const Setting& setting : settings) {
      if (name_of(setting) == value.name) assign(setting, value.text);
    }
  }
  const std::pair<const char*, const std::vector<std::string>*> keys[] = {
      {"lambda1", &choice.lambda1},
      {"lambda2", &choice.lambda2},
      {"lambda3", &choice.lambda3},
      {"specific_dim", &choice.specific_dim}};
  for (const auto& [key, values] : keys) {
    if (values->empty()) {
      fail(ExitCode::kUsage, path, ": has no values for '", key,
           "'; a grid lists lambda1, lambda2, lambda3 and specific_dim");
    }
  }
  return choice;
}

void replace(cluster::SweepGrid& grid, const GridChoice& choice) {
  constexpr Range kAtLeastZero = {0};
  if (!choice.lambda1.empty()) grid.lambda1 = numbers("lambda1", choice.lambda1, kAtLeastZero);
  if (!choice.lambda2.empty()) grid.lambda2 = numbers("lambda2", choice.lambda2, kAtLeastZero);
  if (!choice.lambda3.empty()) grid.lambda3 = numbers("lambda3", choice.lambda3, kAtLeastZero);
  if (!choice.specific_dim.empty()) {
    grid.specific_dim = integers("specific-dim", choice.specific_dim);
  }
}

}  // namespace

std::vector<Setting> grid_settings(GridChoice& choice) {
  std::vector<Setting> settings = {
      {"--grid", "GRID", "paper, or a TOML file", "Grid", &choice.grid}};
  add(settings, list_settings(choice));
  return settings;
}

cluster::SweepGrid chosen_grid(const GridChoice& choice) {
  cluster::SweepGrid grid = cluster::paper_grid();
  if (choice.grid != "paper") replace(grid, read_grid(choice.grid));
  replace(grid, choice);
  return grid;
}

}  // namespace m2st::apps
