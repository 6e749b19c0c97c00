// A plain table: no field ever holds a comma or a quote.
#include "apps/pipeline/sweep_table.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "engine/check.h"
#include "engine/whole_file.h"

namespace m2st::apps {

namespace {

constexpr const char* kHeader =
    "lambda1,lambda2,lambda3,specific_dim,sizes,iterations,objective,silhouette,davies_bouldin,"
    "calinski_harabasz,pas";
constexpr const char* kTruthHeader = ",ari,nmi,acc,purity";
constexpr std::size_t kColumns = 11, kTruthColumns = 4;

std::string header(bool with_truth) {
  return std::string(kHeader) + (with_truth ? kTruthHeader : "");
}

std::string field(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::string sizes_field(const std::vector<std::int64_t>& sizes) {
  return fmt::format("{}", fmt::join(sizes, " "));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == separator) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

template <class T>
T number(const std::string& text) {
  if constexpr (std::is_floating_point_v<T>) {
    if (text.empty()) return std::numeric_limits<T>::quiet_NaN();
  }
  T value{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) fail(ExitCode::kInputInvalid, "'", text, "'");
  return value;
}

cluster::SweepRow row_of(const std::string& line, bool with_truth) {
  const std::vector<std::string> fields = split(line, ',');
  const std::size_t need = kColumns + (with_truth ? kTruthColumns : 0);
  if (fields.size() != need) {
    fail(ExitCode::kInputInvalid, fields.size(), " fields, need ", need);
  }
  cluster::SweepRow row;
  row.options = {number<double>(fields[0]), number<double>(fields[1]), number<double>(fields[2]),
                 number<int>(fields[3])};
  for (const std::string& size : split(fields[4], ' ')) {
    row.sizes.push_back(number<std::int64_t>(size));
  }
  row.iterations = number<int>(fields[5]);
  row.objective = number<double>(fields[6]);
  row.silhouette = number<double>(fields[7]);
  row.davies_bouldin = number<double>(fields[8]);
  row.calinski_harabasz = number<double>(fields[9]);
  row.pas = number<double>(fields[10]);
  if (!with_truth) return row;
  for (const std::int64_t size : row.sizes) row.agreement.cells += size;
  row.agreement.ari = number<double>(fields[11]);
  row.agreement.nmi_max = number<double>(fields[12]);
  row.agreement.accuracy = number<double>(fields[13]);
  row.agreement.purity = number<double>(fields[14]);
  return row;
}

}  // namespace

std::string sweep_csv(const std::vector<cluster::SweepRow>& rows, bool with_truth) {
  std::string text = header(with_truth) + "\n";
  for (const cluster::SweepRow& row : rows) {
    const cluster::OptionSet& set = row.options;
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}", set.lambda1, set.lambda2, set.lambda3,
                        set.specific_dim, sizes_field(row.sizes), row.iterations,
                        field(row.objective), field(row.silhouette), field(row.davies_bouldin),
                        field(row.calinski_harabasz), field(row.pas));
    if (with_truth) {
      const cluster::Agreement& agreement = row.agreement;
      text += fmt::format(",{},{},{},{}", field(agreement.ari), field(agreement.nmi_max),
                          field(agreement.accuracy), field(agreement.purity));
    }
    text += '\n';
  }
  return text;
}

std::vector<cluster::SweepRow> read_sweep_csv(const std::string& path, bool with_truth) {
  std::istringstream lines(read_whole_file(path, ExitCode::kInputMissing));
  std::vector<cluster::SweepRow> rows;
  std::string line;
  for (int count = 1; std::getline(lines, line); ++count) {
    try {
      if (count > 1) {
        rows.push_back(row_of(line, with_truth));
      } else if (line != header(with_truth)) {
        fail(ExitCode::kInputInvalid, "other columns");
      }
    } catch (const Error& error) {
      fail(ExitCode::kInputInvalid, path, ": line ", count, ": ", error.what(),
           "; not a table of this sweep: remove it or give --force to start afresh");
    }
  }
  return rows;
}

}  // namespace m2st::apps
