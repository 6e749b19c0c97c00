// Everything is checked here: the solvers take a state for a caller's word.
#include "apps/pipeline/start_files.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/io/npy.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

class StartReader {
 public:
  StartReader(CpuContext& context, std::string folder, std::int64_t cells, std::int64_t clusters)
      : context_(context), folder_(std::move(folder)), cells_(cells), clusters_(clusters) {}

  // rows or cols -1: any.
  Matrix<double> matrix(const std::string& name, std::int64_t rows, std::int64_t cols) const {
    const std::string path = path_of(name);
    Matrix<double> values = data::read_npy<double>(context_, path);
    const bool fits = values.rows() > 0 && (rows < 0 || values.rows() == rows) &&
                      (cols < 0 || values.cols() == cols);
    if (!fits) {
      fail(ExitCode::kInputInvalid, path, ": ", values.rows(), " x ", values.cols(), ", needs ",
           rows < 0 ? "any" : std::to_string(rows), " x ", cols < 0 ? "any" : std::to_string(cols));
    }
    for (const double value : values.span()) {
      if (!std::isfinite(value)) {
        fail(ExitCode::kInputInvalid, path, ": holds ", value, "; start values must be finite");
      }
    }
    return values;
  }

  std::vector<std::int32_t> labels() const {
    const std::string path = path_of("labels");
    const Matrix<std::int32_t> values = data::read_npy<std::int32_t>(context_, path);
    if (values.size() != cells_) {
      fail(ExitCode::kInputInvalid, path, ": ", values.size(), " labels for ", cells_, " cells");
    }
    for (const std::int32_t label : values.span()) {
      if (label < 0 || label >= clusters_) {
        fail(ExitCode::kInputInvalid, path, ": holds ", label, ", needs 0 to ", clusters_ - 1);
      }
    }
    return {values.span().begin(), values.span().end()};
  }

 private:
  std::string path_of(const std::string& name) const { return folder_ + "/init." + name + ".npy"; }

  CpuContext& context_;
  std::string folder_;
  std::int64_t cells_, clusters_;
};

}  // namespace

cluster::ReferenceState read_start(CpuContext& context, const std::string& folder,
                                   const std::vector<std::int64_t>& widths, std::int64_t cells,
                                   int clusters) {
  const StartReader files(context, folder, cells, clusters);
  cluster::ReferenceState state;
  state.common = files.matrix("H", -1, cells);
  const std::int64_t common_dim = state.common.rows();
  for (std::size_t m = 0; m < widths.size(); ++m) {
    const std::string number = std::to_string(m);
    cluster::ReferenceView view;
    view.specific = files.matrix("S" + number, -1, cells);
    const std::int64_t specific_dim = view.specific.rows();
    view.specific_map = files.matrix("P" + number, specific_dim, widths[m]);
    view.common_map = files.matrix("W" + number, common_dim, widths[m]);
    view.centres = files.matrix("V" + number, specific_dim, clusters);
    state.views.push_back(std::move(view));
  }
  state.common_centres = files.matrix("V" + std::to_string(widths.size()), common_dim, clusters);
  state.labels = files.labels();
  return state;
}

}  // namespace m2st::apps
