#include "apps/pipeline/stage_folders.h"

#include <filesystem>
#include <system_error>

#include "engine/check.h"

namespace m2st::apps {

namespace {

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

// Instruments' folders hold no features.npy.
void take_prepared(InputFiles& input) {
  const std::string folder = input.expression;
  if (!is_folder(folder) || !is_file(folder + "/features.npy") || !input.features.empty()) return;
  input.expression.clear();
  input.features = folder + "/features.npy";
  const auto take = [&](std::string& target, const char* name) {
    const std::string path = folder + "/" + name;
    if (target.empty() && is_file(path)) target = path;
  };
  take(input.coordinates, "coords.csv");
  take(input.coordinates, "coords.npy");
  take(input.sections, "sections.csv");
  take(input.labels, "labels.csv");
  take(input.adjacency, "graph.npz");
}

std::vector<std::string> scales_in(const std::string& folder) {
  std::vector<std::string> scales;
  for (int m = 1;; ++m) {
    const std::string path = folder + "/embedding_scale" + std::to_string(m) + ".npy";
    if (!is_file(path)) break;
    scales.push_back(path);
  }
  if (scales.empty()) {
    fail(ExitCode::kInputMissing, folder, ": holds no embedding_scale1.npy; give the folder of ",
         "m2st embed, or every scale's file");
  }
  return scales;
}

}  // namespace

InputFiles files_of_stages(const InputFiles& given) {
  InputFiles input = given;
  take_prepared(input);
  input.embeddings.clear();
  for (const std::string& path : given.embeddings) {
    if (is_folder(path)) {
      const std::vector<std::string> scales = scales_in(path);
      input.embeddings.insert(input.embeddings.end(), scales.begin(), scales.end());
    } else {
      input.embeddings.push_back(path);
    }
  }
  return input;
}

}  // namespace m2st::apps
