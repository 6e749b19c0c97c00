// Z Zᵀ for z = [D of all views; H; U] of every cell: all inner products between the rows of the
// data, the common representation and the labels. `seen_by` and `scatter` go between the entries of
// z and those that one view sees: its own columns of D, then H, then U.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

class StackedGram {
 public:
  // data_gram: as the function below gives it; common: Hᵀ (N, d_c).
  StackedGram(CpuContext& context, const std::vector<Matrix<double>>& data,
              MatrixView<const double> data_gram, const Matrix<double>& common,
              const std::vector<std::int32_t>& labels, int clusters);

  StackedGram copy() const;

  std::int64_t entries() const { return width_ + common_dim_ + clusters_; }
  std::int64_t width() const { return width_; }  // of all views together
  std::int64_t common_first() const { return width_; }
  std::int64_t label_first() const { return width_ + common_dim_; }
  std::int64_t first(std::size_t view) const { return first_[view]; }
  std::int64_t width(std::size_t view) const { return first_[view + 1] - first_[view]; }

  double data_square(std::size_t view) const;  // ‖D‖²

  MatrixView<const double> all() const { return gram_.view(); }
  MatrixView<const double> common_rows() const { return gram_.view().slice(width_, common_dim_); }
  Matrix<double> seen_by(std::size_t view, MatrixView<const double> x) const;
  // Both rows and columns of Z Zᵀ as the view sees them.
  Matrix<double> gram_of(std::size_t view) const;
  // out (.., entries of z) += factor · x (.., entries that the view sees).
  void scatter(std::size_t view, double factor, MatrixView<const double> x,
               MatrixView<double> out) const;

  // H D (d_c, d) and H Hᵀ from the map that made H; by label the sums of D and H, and the sizes.
  void update(MatrixView<const double> common_data, MatrixView<const double> common_gram,
              MatrixView<const double> label_data, MatrixView<const double> label_common,
              const std::vector<std::int64_t>& sizes);

 private:
  explicit StackedGram(CpuContext& context) : context_(context) {}
  void put(std::int64_t row, std::int64_t column, MatrixView<const double> x);
  void put_sizes(const std::vector<std::int64_t>& sizes);

  CpuContext& context_;
  std::int64_t width_ = 0, common_dim_ = 0, clusters_ = 0;
  std::vector<std::int64_t> first_;  // column of D where each view begins, and the end
  Matrix<double> gram_;
};

// Dᵀ D (d, d) of all views side by side: one for all runs on the same data.
Matrix<double> data_gram(CpuContext& context, const std::vector<Matrix<double>>& data);

// Σ of the rows of x by label (K, cols).
Matrix<double> label_sums(CpuContext& context, const Matrix<double>& x,
                          const std::vector<std::int32_t>& labels, int clusters);

}  // namespace m2st::cluster
