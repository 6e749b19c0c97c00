// Zhang et al., Bioinformatics 2025, Table 1, and the results stored beside its reference code.
#include "apps/pipeline/published.h"

namespace m2st::apps {

std::string name_of(Variant variant) {
  constexpr const char* kNames[] = {"m2ST1", "m2ST2", "m2ST3", "m2ST4", "m2ST"};
  return kNames[static_cast<std::size_t>(variant)];
}

std::string description_of(Variant variant) {
  constexpr const char* kTexts[] = {
      "one scale, nothing masked, k-means", "all scales, nothing masked, k-means",
      "the whole autoencoder, k-means", "squared error for the loss, multi-scale clustering",
      "the whole autoencoder, multi-scale clustering"};
  return kTexts[static_cast<std::size_t>(variant)];
}

std::vector<PublishedSet> published_sets() {
  std::vector<PublishedSet> sets = {
      {"starmap_m2st", "STARmap", "STARmap", 128, 0.6100, 5.6},
      {"breast_m2st", "Breast cancer", "Breast cancer", 256, 0.6475, 23.3},
  };
  for (const char* slice : {"151507", "151508", "151509", "151510", "151669", "151670", "151671",
                            "151672", "151673", "151674", "151675", "151676"}) {
    sets.push_back({std::string("dlpfc_") + slice, std::string("DLPFC ") + slice, "DLPFC"});
    if (sets.back().folder == "dlpfc_151672") {
      sets.back().best_ari = 0.7556;
      sets.back().authors_seconds = 9.6;
    }
  }
  return sets;
}

std::vector<PublishedRow> published_table() {
  return {{"DLPFC", 12, {0.1017, 0.1392, 0.4163, 0.1635, 0.5654}},
          {"Breast cancer", 1, {0.4400, 0.4602, 0.5757, 0.4334, 0.6475}},
          {"STARmap", 1, {0.2436, 0.1000, 0.5347, 0.1974, 0.6100}}};
}

std::vector<std::string> published_unlabelled() { return {"hippocampus", "cerebellum", "heart"}; }

}  // namespace m2st::apps
