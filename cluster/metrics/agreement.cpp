// Everything follows from the contingency table, kept sparse: its entries are at most N, whatever
// the numbers of labels. Only the matching needs it dense.
#include "cluster/metrics/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/metrics/assignment.h"
#include "cluster/metrics/grouping.h"
#include "engine/check.h"

namespace m2st::cluster {
namespace {

struct Entry {
  std::int32_t row = 0;     // cluster
  std::int32_t column = 0;  // class of the truth
  std::int64_t count = 0;
};

struct Contingency {
  std::vector<Entry> entries;  // by row, then column; none is 0
  std::vector<std::int64_t> row_totals, column_totals;
  std::int64_t total = 0;
};

// Labels with those cells that only the other labeling leaves out made negative too.
std::vector<std::int32_t> masked(Span<const std::int32_t> labels, Span<const std::int32_t> other) {
  std::vector<std::int32_t> result(labels.begin(), labels.end());
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (other[i] < 0) result[i] = -1;
  }
  return result;
}

std::vector<std::int64_t> sizes(const Grouping& grouping) {
  std::vector<std::int64_t> result;
  for (std::int32_t g = 0; g < grouping.groups(); ++g) result.push_back(grouping.size(g));
  return result;
}

Contingency contingency(Span<const std::int32_t> labels, Span<const std::int32_t> truth) {
  const Grouping rows = group_by_label(masked(labels, truth));
  const Grouping columns = group_by_label(masked(truth, labels));
  Contingency table;
  table.row_totals = sizes(rows);
  table.column_totals = sizes(columns);
  table.total = rows.count();
  std::vector<std::int32_t> classes;  // that cells of a row belong to
  std::vector<std::int64_t> counts(table.column_totals.size(), 0);
  for (std::int32_t row = 0; row < rows.groups(); ++row) {
    classes.clear();
    for (std::int64_t p = rows.offsets[static_cast<std::size_t>(row)];
         p < rows.offsets[static_cast<std::size_t>(row) + 1]; ++p) {
      const std::int32_t cell = rows.cells[static_cast<std::size_t>(p)];
      const std::int32_t column = columns.group[static_cast<std::size_t>(cell)];
      if (counts[static_cast<std::size_t>(column)]++ == 0) classes.push_back(column);
    }
    std::sort(classes.begin(), classes.end());
    for (const std::int32_t column : classes) {
      table.entries.push_back({row, column, counts[static_cast<std::size_t>(column)]});
      counts[static_cast<std::size_t>(column)] = 0;
    }
  }
  return table;
}

double pairs(std::int64_t count) {
  return 0.5 * static_cast<double>(count) * static_cast<double>(count - 1);
}

double sum_of_pairs(const std::vector<std::int64_t>& counts) {
  double sum = 0;
  for (const std::int64_t count : counts) sum += pairs(count);
  return sum;
}

// From the pairs together in both labelings, in each, and all.
double adjusted_rand(double together, double in_rows, double in_columns, double all) {
  // Both one cluster, or both singletons: the chance-corrected range is empty.
  if ((in_rows == all && in_columns == all) || (in_rows == 0 && in_columns == 0)) return 1;
  const double expected = in_rows * in_columns / all;
  return (together - expected) / (0.5 * (in_rows + in_columns) - expected);
}

double adjusted_rand(const Contingency& table) {
  double together = 0;
  for (const Entry& entry : table.entries) together += pairs(entry.count);
  return adjusted_rand(together, sum_of_pairs(table.row_totals), sum_of_pairs(table.column_totals),
                       pairs(table.total));
}

double entropy(const std::vector<std::int64_t>& counts, std::int64_t total) {
  double sum = 0;
  for (const std::int64_t count : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(total);
    sum -= share * std::log(share);
  }
  return std::max(sum, 0.0);
}

double mutual_information(const Contingency& table) {
  const double total = static_cast<double>(table.total);
  double sum = 0;
  for (const Entry& entry : table.entries) {
    const double count = static_cast<double>(entry.count);
    const double row = static_cast<double>(table.row_totals[static_cast<std::size_t>(entry.row)]);
    const double column =
        static_cast<double>(table.column_totals[static_cast<std::size_t>(entry.column)]);
    sum += count / total * (std::log(count / row) - std::log(column / total));
  }
  return std::max(sum, 0.0);
}

double matched_share(const Contingency& table) {
  const bool wide = table.row_totals.size() <= table.column_totals.size();
  const std::int64_t rows =
      static_cast<std::int64_t>(wide ? table.row_totals.size() : table.column_totals.size());
  const std::int64_t columns =
      static_cast<std::int64_t>(wide ? table.column_totals.size() : table.row_totals.size());
  std::vector<std::int64_t> counts(static_cast<std::size_t>(rows * columns), 0);
  for (const Entry& entry : table.entries) {
    const std::int64_t row = wide ? entry.row : entry.column;
    const std::int64_t column = wide ? entry.column : entry.row;
    counts[static_cast<std::size_t>(row * columns + column)] = entry.count;
  }
  const MatrixView<const std::int64_t> value{counts.data(), rows, columns};
  const std::vector<std::int32_t> match = maximum_assignment(value);
  std::int64_t matched = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    matched += value(row, match[static_cast<std::size_t>(row)]);
  }
  return static_cast<double>(matched) / static_cast<double>(table.total);
}

double purity_of(const Contingency& table) {
  std::vector<std::int64_t> largest(table.row_totals.size(), 0);
  for (const Entry& entry : table.entries) {
    std::int64_t& best = largest[static_cast<std::size_t>(entry.row)];
    best = std::max(best, entry.count);
  }
  std::int64_t sum = 0;
  for (const std::int64_t count : largest) sum += count;
  return static_cast<double>(sum) / static_cast<double>(table.total);
}

Agreement undefined() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {0, nan, nan, nan, nan, nan, nan, nan, nan};
}

}  // namespace

Agreement agreement(Span<const std::int32_t> labels, Span<const std::int32_t> truth) {
  M2ST_CHECK(labels.size() == truth.size(), "agreement: ", labels.size(), " labels, but ",
             truth.size(), " in the truth");
  const Contingency table = contingency(labels, truth);
  if (table.total == 0) return undefined();

  Agreement result;
  result.cells = table.total;
  result.ari = adjusted_rand(table);
  result.accuracy = matched_share(table);
  result.purity = purity_of(table);

  const double mutual = mutual_information(table);
  const double of_labels = entropy(table.row_totals, table.total);
  const double of_truth = entropy(table.column_totals, table.total);
  const bool both_trivial = of_labels == 0 && of_truth == 0;
  const auto share = [&](double bound) {
    if (bound == 0) return both_trivial ? 1.0 : 0.0;
    return mutual / bound;
  };
  result.nmi_max = share(std::max(of_labels, of_truth));
  result.nmi_arithmetic = share(0.5 * (of_labels + of_truth));
  result.nmi_geometric = share(std::sqrt(of_labels * of_truth));
  result.homogeneity = of_truth == 0 ? 1 : mutual / of_truth;
  result.completeness = of_labels == 0 ? 1 : mutual / of_labels;
  return result;
}

double adjusted_rand_index(MatrixView<const std::int64_t> table) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(table.rows), 0),
      columns(static_cast<std::size_t>(table.cols), 0);
  double together = 0;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < table.rows; ++i) {
    for (std::int64_t j = 0; j < table.cols; ++j) {
      const std::int64_t count = table(i, j);
      together += pairs(count);
      rows[static_cast<std::size_t>(i)] += count;
      columns[static_cast<std::size_t>(j)] += count;
      total += count;
    }
  }
  return adjusted_rand(together, sum_of_pairs(rows), sum_of_pairs(columns), pairs(total));
}

}  // namespace m2st::cluster
