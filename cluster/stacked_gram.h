// Z Zᵀ for z = [D of all views; H; U] of every cell: all inner products between the rows of the
// data, the common representation and the labels. `seen_by` and `scatter` go between the entries of
// z and those that one view sees: its own columns of D, then H, then U. Batches are one matrix an
// option set.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/batch.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

// Where the entries of z are.
class StackedEntries {
 public:
  StackedEntries(const std::vector<Matrix<double>>& data, std::int64_t common_dim,
                 std::int64_t clusters);

  std::int64_t count() const { return width() + common_dim_ + clusters_; }
  std::size_t views() const { return first_.size() - 1; }
  std::int64_t width() const { return first_.back(); }  // of all views together
  std::int64_t common_dim() const { return common_dim_; }
  std::int64_t clusters() const { return clusters_; }
  std::int64_t common_first() const { return width(); }
  std::int64_t label_first() const { return width() + common_dim_; }
  std::int64_t first(std::size_t view) const { return first_[view]; }
  std::int64_t width(std::size_t view) const { return first_[view + 1] - first_[view]; }
  std::int64_t seen(std::size_t view) const { return width(view) + common_dim_ + clusters_; }

 private:
  std::vector<std::int64_t> first_;  // column of D where each view begins, and the end
  std::int64_t common_dim_, clusters_;
};

// Columns of x that the view sees.
template <class Backend>
Batch<double> seen_by(Backend& context, const StackedEntries& entries, std::size_t view,
                      BatchView<const double> x);

// Both rows and columns of Z Zᵀ as the view sees them.
template <class Backend>
Batch<double> gram_of(Backend& context, const StackedEntries& entries, std::size_t view,
                      BatchView<const double> gram);

// out (.., entries of z) += factor · factors[set] · x (.., entries that the view sees); empty
// factors stand for ones.
template <class Backend>
void scatter(Backend& context, const StackedEntries& entries, std::size_t view, double factor,
             Span<const double> factors, BatchView<const double> x, BatchView<double> out);

// What the parts of Z Zᵀ of H and U are made of: for the new H its products with D and itself, as
// the map that made it gives them; by new label the sums of D and H, and the sizes.
struct GramUpdate {
  BatchView<const double> common_data, common_gram, label_data, label_common;
  MatrixView<const std::int64_t> counts;
};
template <class Backend>
void update_gram(Backend& context, const StackedEntries& entries, const GramUpdate& update,
                 BatchView<double> gram);

// Z Zᵀ of the start. data_gram: as below; common: Hᵀ (N, d_c).
Matrix<double> stacked_gram(CpuContext& context, const std::vector<Matrix<double>>& data,
                            MatrixView<const double> data_gram, const Matrix<double>& common,
                            const std::vector<std::int32_t>& labels, int clusters);

// Dᵀ D (d, d) of all views side by side: one for all runs on the same data.
Matrix<double> data_gram(CpuContext& context, const std::vector<Matrix<double>>& data);

// ‖D‖² of each view, from the above.
std::vector<double> data_squares(const std::vector<Matrix<double>>& data,
                                 MatrixView<const double> data_gram);

// Σ of the rows of x by label (K, cols).
Matrix<double> label_sums(CpuContext& context, const Matrix<double>& x,
                          const std::vector<std::int32_t>& labels, int clusters);

}  // namespace m2st::cluster
