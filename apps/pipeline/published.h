// What the m2ST paper and its stored results say, to put beside our own figures.
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

namespace m2st::apps {

// The ablations of the paper's Table 1 and the whole method.
enum class Variant { kM2st1, kM2st2, kM2st3, kM2st4, kM2st };
constexpr std::size_t kVariants = 5;
std::string name_of(Variant variant);         // "m2ST1", ...
std::string description_of(Variant variant);  // "one scale, nothing masked, k-means", ...

// A labelled set of the paper as a folder with features.npy, coords.npy and labels.txt.
struct PublishedSet {
  std::string folder;  // inside the data folder
  std::string title;
  std::string group;  // row of Table 1 that it counts for
  int hidden = 256;   // width of scale 1 of the published embedding
  double best_ari = std::numeric_limits<double>::quiet_NaN();  // stored best result, where there is
  double authors_seconds = std::numeric_limits<double>::quiet_NaN();  // of one clustering run
};

std::vector<PublishedSet> published_sets();

// Table 1 (ARI): one row a group, in the order of Variant.
struct PublishedRow {
  std::string group;
  int sets = 1;  // that the published figure is a mean of
  std::array<double, kVariants> ari{};
};
std::vector<PublishedRow> published_table();

// Sets without labels, of which labels and options were published but no features.
std::vector<std::string> published_unlabelled();

}  // namespace m2st::apps
