// The blocks of D stay for the whole run; those of H and U are replaced every iteration.
#include "cluster/stacked_gram.h"

#include <algorithm>

#include "cluster/blocks.h"
#include "cluster/reference_algebra.h"
#include "engine/check.h"
#include "kernels/assign.h"
#include "kernels/gemm.h"

namespace m2st::cluster {

using kernels::Layout;

namespace {

Matrix<double> between(CpuContext& context, const Matrix<double>& a, const Matrix<double>& b) {
  return product(context, Layout::kTransposed, a.view(), Layout::kPlain, b.view());
}

}  // namespace

Matrix<double> data_gram(CpuContext& context, const std::vector<Matrix<double>>& data) {
  std::int64_t width = 0;
  for (const Matrix<double>& view : data) width += view.cols();
  Matrix<double> result(context.pool(), width, width);
  std::int64_t row = 0;
  for (std::size_t m = 0; m < data.size(); row += data[m].cols(), ++m) {
    std::int64_t column = 0;
    for (std::size_t other = 0; other <= m; column += data[other].cols(), ++other) {
      const Matrix<double> block = between(context, data[m], data[other]);
      for (std::int64_t i = 0; i < block.rows(); ++i) {
        for (std::int64_t j = 0; j < block.cols(); ++j) {
          result(row + i, column + j) = block(i, j);
          result(column + j, row + i) = block(i, j);
        }
      }
    }
  }
  return result;
}

Matrix<double> label_sums(CpuContext& context, const Matrix<double>& x,
                          const std::vector<std::int32_t>& labels, int clusters) {
  Matrix<double> sums(context.pool(), clusters, x.cols());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(clusters));
  kernels::sums_by_label<double>(context, x.view(), labels, sums.view(), sizes);
  return sums;
}

StackedGram::StackedGram(CpuContext& context, const std::vector<Matrix<double>>& data,
                         MatrixView<const double> data_gram, const Matrix<double>& common,
                         const std::vector<std::int32_t>& labels, int clusters)
    : context_(context), common_dim_(common.cols()), clusters_(clusters) {
  for (const Matrix<double>& view : data) {
    first_.push_back(width_);
    width_ += view.cols();
  }
  first_.push_back(width_);
  gram_ = zeros(context, entries(), entries());
  M2ST_CHECK(data_gram.rows == width_ && data_gram.cols == width_, "StackedGram: the data's Gram ",
             "matrix is ", data_gram.rows, " x ", data_gram.cols, ", need ", width_);
  put(0, 0, data_gram);
  for (std::size_t m = 0; m < data.size(); ++m) {
    put(common_first(), first_[m], between(context, common, data[m]).view());
    put(label_first(), first_[m], label_sums(context, data[m], labels, clusters).view());
  }
  put(common_first(), common_first(), between(context, common, common).view());
  put(label_first(), common_first(), label_sums(context, common, labels, clusters).view());
  put_sizes(cluster_sizes(labels, clusters));
}

StackedGram StackedGram::copy() const {
  StackedGram result(context_);
  result.width_ = width_;
  result.common_dim_ = common_dim_;
  result.clusters_ = clusters_;
  result.first_ = first_;
  result.gram_ = copy_of(context_, gram_.view());
  return result;
}

double StackedGram::data_square(std::size_t view) const {
  double sum = 0;
  for (std::int64_t i = first_[view]; i < first_[view + 1]; ++i) sum += gram_(i, i);
  return sum;
}

Matrix<double> StackedGram::seen_by(std::size_t view, MatrixView<const double> x) const {
  const std::int64_t own = width(view), rest = common_dim_ + clusters_;
  Matrix<double> result(context_.pool(), x.rows, own + rest);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    double* row = result.view().row(i).data();
    std::copy_n(x.row(i).data() + first_[view], own, row);
    std::copy_n(x.row(i).data() + width_, rest, row + own);
  }
  return result;
}

Matrix<double> StackedGram::gram_of(std::size_t view) const {
  const std::int64_t own = width(view), rest = common_dim_ + clusters_;
  Matrix<double> result(context_.pool(), own + rest, own + rest);
  for (std::int64_t i = 0; i < own + rest; ++i) {
    const double* from = gram_.view().row(i < own ? first_[view] + i : width_ + i - own).data();
    double* row = result.view().row(i).data();
    std::copy_n(from + first_[view], own, row);
    std::copy_n(from + width_, rest, row + own);
  }
  return result;
}

void StackedGram::scatter(std::size_t view, double factor, MatrixView<const double> x,
                          MatrixView<double> out) const {
  const std::int64_t own = width(view);
  add_to_columns(factor, columns(context_, x, 0, own).view(), first_[view], out);
  add_to_columns(factor, columns(context_, x, own, common_dim_ + clusters_).view(), width_, out);
}

void StackedGram::update(MatrixView<const double> common_data, MatrixView<const double> common_gram,
                         MatrixView<const double> label_data, MatrixView<const double> label_common,
                         const std::vector<std::int64_t>& sizes) {
  put(common_first(), 0, common_data);
  put(common_first(), common_first(), common_gram);
  put(label_first(), 0, label_data);
  put(label_first(), common_first(), label_common);
  put_sizes(sizes);
}

// A block and its mirror image.
void StackedGram::put(std::int64_t row, std::int64_t column, MatrixView<const double> x) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      gram_(row + i, column + j) = x(i, j);
      gram_(column + j, row + i) = x(i, j);
    }
  }
}

// U Uᵀ is diagonal; all else in its block is 0 from the start.
void StackedGram::put_sizes(const std::vector<std::int64_t>& sizes) {
  for (std::int64_t c = 0; c < clusters_; ++c) {
    gram_(label_first() + c, label_first() + c) =
        static_cast<double>(sizes[static_cast<std::size_t>(c)]);
  }
}

}  // namespace m2st::cluster
