// Table 1 goes by the paper's rows: a row of several sets is the mean of those that were run.
#include "apps/report/reproduction.h"

#include <fmt/format.h>

#include <cmath>

namespace m2st::apps {

namespace {

using Json = nlohmann::ordered_json;

std::string number(double value) { return std::isnan(value) ? "–" : fmt::format("{:.4f}", value); }

std::string ari_of(const Reproduced& result) {
  return result.agreement ? number(result.agreement->ari) : "–";
}

struct GroupMean {
  int sets = 0;
  std::array<double, kVariants> ari{};
};

GroupMean mean_of(const std::vector<SetReport>& sets, const std::string& group) {
  GroupMean mean;
  for (const SetReport& set : sets) {
    if (set.published.group != group || !set.absent.empty()) continue;
    ++mean.sets;
    for (std::size_t v = 0; v < kVariants; ++v) {
      const auto& agreement = set.variants[v].agreement;
      mean.ari[v] += agreement ? agreement->ari : std::nan("");
    }
  }
  for (double& ari : mean.ari) ari = mean.sets > 0 ? ari / mean.sets : std::nan("");
  return mean;
}

std::string variant_header() {
  std::string text;
  for (std::size_t v = 0; v < kVariants; ++v) text += " " + name_of(static_cast<Variant>(v)) + " |";
  return text;
}

std::string table_one(const std::vector<SetReport>& sets) {
  std::string text = "## Table 1 (ARI, options chosen against the truth)\n\n| set | whose |" +
                     variant_header() + "\n|---|---|---|---|---|---|---|\n";
  for (const PublishedRow& row : published_table()) {
    const GroupMean ours = mean_of(sets, row.group);
    text += fmt::format("| {} | published{} |", row.group,
                        row.sets > 1 ? fmt::format(", mean of {}", row.sets) : "");
    for (const double ari : row.ari) text += " " + number(ari) + " |";
    text += "\n";
    if (ours.sets == 0) {
      text += fmt::format("| {} | here: absent | | | | | |\n", row.group);
      continue;
    }
    text += fmt::format("| {} | here{} |", row.group,
                        row.sets > 1 ? fmt::format(", mean of {}", ours.sets) : "");
    for (const double ari : ours.ari) text += " " + number(ari) + " |";
    text += "\n";
  }
  return text;
}

std::string set_rows(const SetReport& set) {
  std::string text;
  const auto add = [&](const std::string& what, const Reproduced& result) {
    if (!result.agreement) {
      text += fmt::format("| {} | – | – | – | – | {:.1f} | no option set kept all domains |\n",
                          what, result.seconds);
      return;
    }
    text += fmt::format("| {} | {} | {} | {} | {} | {:.1f} | {} |\n", what, ari_of(result),
                        number(result.agreement->nmi_max), number(result.agreement->accuracy),
                        number(result.agreement->purity), result.seconds, result.options);
  };
  for (std::size_t v = 0; v < kVariants; ++v) {
    const auto variant = static_cast<Variant>(v);
    add(fmt::format("{}: {}", name_of(variant), description_of(variant)), set.variants[v]);
  }
  add("m2ST, chosen by silhouette, without the truth", set.by_silhouette);
  add("default of `m2st cluster`, without the truth", set.by_default);
  return text;
}

std::string set_section(const SetReport& set) {
  std::string text = fmt::format("\n## {}\n\n", set.published.title);
  if (!set.absent.empty()) return text + "Absent: " + set.absent + ".\n";
  text += fmt::format("{} cells, {} domains. ", set.cells, set.domains);
  if (!std::isnan(set.published.best_ari)) {
    text += fmt::format("Published best: ARI {:.4f}, {} s for one clustering run.",
                        set.published.best_ari, set.published.authors_seconds);
  }
  if (set.published_labels_ari) {
    text += fmt::format(" The published labels score {:.4f} here.", *set.published_labels_ari);
  }
  return text +
         "\n\n| variant | ARI | NMI | ACC | purity | seconds | options |\n|---|---|---|---|---|---|"
         "---|\n" +
         set_rows(set);
}

Json result_json(const Reproduced& result) {
  Json json = {{"seconds", result.seconds}, {"options", result.options}};
  if (!result.agreement) {
    json["ari"] = nullptr;
    return json;
  }
  json["ari"] = result.agreement->ari;
  json["nmi"] = result.agreement->nmi_max;
  json["acc"] = result.agreement->accuracy;
  json["purity"] = result.agreement->purity;
  return json;
}

Json set_json(const SetReport& set) {
  Json json = {{"set", set.published.folder},
               {"title", set.published.title},
               {"absent", set.absent.empty() ? Json(false) : Json(set.absent)},
               {"published_best_ari", set.published.best_ari},
               {"published_seconds", set.published.authors_seconds}};
  if (!set.absent.empty()) return json;
  json["cells"] = set.cells;
  json["domains"] = set.domains;
  if (set.published_labels_ari) json["published_labels_ari"] = *set.published_labels_ari;
  for (std::size_t v = 0; v < kVariants; ++v) {
    json["variants"][name_of(static_cast<Variant>(v))] = result_json(set.variants[v]);
  }
  json["label_free"] = {{"silhouette", result_json(set.by_silhouette)},
                        {"default", result_json(set.by_default)}};
  return json;
}

}  // namespace

std::string reproduction_markdown(const std::vector<SetReport>& sets,
                                  const std::vector<std::string>& unlabelled) {
  std::string text = "# The published results, reproduced\n\n" + table_one(sets);
  for (const SetReport& set : sets) text += set_section(set);
  text += "\n## Sets without labels\n\n";
  for (const std::string& line : unlabelled) text += "- " + line + "\n";
  return text;
}

Json reproduction_json(const std::vector<SetReport>& sets,
                       const std::vector<std::string>& unlabelled) {
  Json json;
  for (const PublishedRow& row : published_table()) {
    const GroupMean ours = mean_of(sets, row.group);
    json["table1"].push_back({{"group", row.group},
                              {"published", row.ari},
                              {"published_sets", row.sets},
                              {"here", ours.ari},
                              {"sets_here", ours.sets}});
  }
  for (const SetReport& set : sets) json["sets"].push_back(set_json(set));
  json["unlabelled"] = unlabelled;
  return json;
}

}  // namespace m2st::apps
