// The blocks of D stay for the whole run; those of H and U are replaced every iteration.
#include "cluster/stacked_gram.h"

#include <utility>

#include "cluster/blocks.h"
#include "cluster/reference_algebra.h"
#include "engine/check.h"
#include "engine/context.h"
#include "kernels/assign.h"
#include "kernels/batch_blocks.h"
#include "kernels/cluster_steps.h"

namespace m2st::cluster {

using kernels::Accumulate;
using kernels::Layout;

namespace {

Matrix<double> between(CpuContext& context, const Matrix<double>& a, const Matrix<double>& b) {
  return product(context, Layout::kTransposed, a.view(), Layout::kPlain, b.view());
}

template <class Backend>
void copy(Backend& context, Layout layout, BatchView<const double> from, BatchView<double> to) {
  kernels::copy_block<double>(context, layout, 1.0, {}, from, to, Accumulate::kOverwrite);
}

// A block and its mirror image.
template <class Backend>
void put(Backend& context, std::int64_t row, std::int64_t column, BatchView<const double> x,
         BatchView<double> gram) {
  copy(context, Layout::kPlain, x, gram.slice(row, x.rows).columns(column, x.cols));
  copy(context, Layout::kTransposed, x, gram.slice(column, x.cols).columns(row, x.rows));
}

}  // namespace

StackedEntries::StackedEntries(const std::vector<Matrix<double>>& data, std::int64_t common_dim,
                               std::int64_t clusters)
    : first_{0}, common_dim_(common_dim), clusters_(clusters) {
  for (const Matrix<double>& view : data) first_.push_back(first_.back() + view.cols());
}

template <class Backend>
Batch<double> seen_by(Backend& context, const StackedEntries& entries, std::size_t view,
                      BatchView<const double> x) {
  const std::int64_t own = entries.width(view), rest = entries.seen(view) - own;
  Batch<double> result(context.pool(), x.count, x.rows, own + rest);
  copy(context, Layout::kPlain, x.columns(entries.first(view), own), result.view().columns(0, own));
  copy(context, Layout::kPlain, x.columns(entries.width(), rest), result.view().columns(own, rest));
  return result;
}

template <class Backend>
Batch<double> gram_of(Backend& context, const StackedEntries& entries, std::size_t view,
                      BatchView<const double> gram) {
  const std::int64_t own = entries.width(view), rest = entries.seen(view) - own;
  const std::int64_t first = entries.first(view), shared = entries.width();
  Batch<double> result(context.pool(), gram.count, own + rest, own + rest);
  const BatchView<double> out = result.view();
  const auto part = [&](std::int64_t row, std::int64_t height, std::int64_t to_row,
                        std::int64_t column, std::int64_t width, std::int64_t to_column) {
    copy(context, Layout::kPlain, gram.slice(row, height).columns(column, width),
         out.slice(to_row, height).columns(to_column, width));
  };
  part(first, own, 0, first, own, 0);
  part(first, own, 0, shared, rest, own);
  part(shared, rest, own, first, own, 0);
  part(shared, rest, own, shared, rest, own);
  return result;
}

template <class Backend>
void scatter(Backend& context, const StackedEntries& entries, std::size_t view, double factor,
             Span<const double> factors, BatchView<const double> x, BatchView<double> out) {
  const std::int64_t own = entries.width(view), rest = entries.seen(view) - own;
  kernels::copy_block<double>(context, Layout::kPlain, factor, factors, x.columns(0, own),
                              out.columns(entries.first(view), own), Accumulate::kAdd);
  kernels::copy_block<double>(context, Layout::kPlain, factor, factors, x.columns(own, rest),
                              out.columns(entries.width(), rest), Accumulate::kAdd);
}

template <class Backend>
void update_gram(Backend& context, const StackedEntries& entries, const GramUpdate& update,
                 BatchView<double> gram) {
  const std::int64_t common = entries.common_first(), labels = entries.label_first();
  put(context, common, 0, update.common_data, gram);
  // Its two halves may differ by rounding: what is kept is symmetric.
  const BatchView<double> own =
      gram.slice(common, entries.common_dim()).columns(common, entries.common_dim());
  kernels::copy_block<double>(context, Layout::kPlain, 0.5, {}, update.common_gram, own,
                              Accumulate::kOverwrite);
  kernels::copy_block<double>(context, Layout::kTransposed, 0.5, {}, update.common_gram, own,
                              Accumulate::kAdd);
  put(context, labels, 0, update.label_data, gram);
  put(context, labels, common, update.label_common, gram);
  // U Uᵀ is diagonal; all else in its block is 0 from the start.
  kernels::put_counts(context, update.counts,
                      gram.slice(labels, entries.clusters()).columns(labels, entries.clusters()));
}

Matrix<double> stacked_gram(CpuContext& context, const std::vector<Matrix<double>>& data,
                            MatrixView<const double> data_gram, const Matrix<double>& common,
                            const std::vector<std::int32_t>& labels, int clusters) {
  const StackedEntries entries(data, common.cols(), clusters);
  M2ST_CHECK(data_gram.rows == entries.width() && data_gram.cols == entries.width(),
             "stacked_gram: the data's Gram matrix is ", data_gram.rows, " x ", data_gram.cols,
             ", need ", entries.width());
  Matrix<double> gram = zeros(context, entries.count(), entries.count());
  const BatchView<double> out = batch_of(gram.view());
  copy(context, Layout::kPlain, batch_of(data_gram),
       out.slice(0, entries.width()).columns(0, entries.width()));
  Matrix<double> common_data(context.pool(), common.cols(), entries.width());
  Matrix<double> label_data(context.pool(), clusters, entries.width());
  for (std::size_t m = 0; m < data.size(); ++m) {
    const std::int64_t first = entries.first(m), width = entries.width(m);
    copy(context, Layout::kPlain, batch_of(between(context, common, data[m]).view()),
         batch_of(common_data.view()).columns(first, width));
    copy(context, Layout::kPlain, batch_of(label_sums(context, data[m], labels, clusters).view()),
         batch_of(label_data.view()).columns(first, width));
  }
  const Matrix<double> common_gram = between(context, common, common);
  const Matrix<double> label_common = label_sums(context, common, labels, clusters);
  const std::vector<std::int64_t> counts = cluster_sizes(labels, clusters);
  update_gram<CpuContext>(context, entries,
                          {batch_of(std::as_const(common_data).view()),
                           batch_of(common_gram.view()),
                           batch_of(std::as_const(label_data).view()),
                           batch_of(label_common.view()),
                           {counts.data(), 1, clusters}},
                          out);
  return gram;
}

Matrix<double> data_gram(CpuContext& context, const std::vector<Matrix<double>>& data) {
  std::int64_t width = 0;
  for (const Matrix<double>& view : data) width += view.cols();
  Matrix<double> result(context.pool(), width, width);
  std::int64_t row = 0;
  for (std::size_t m = 0; m < data.size(); row += data[m].cols(), ++m) {
    std::int64_t column = 0;
    for (std::size_t other = 0; other <= m; column += data[other].cols(), ++other) {
      put(context, row, column, batch_of(between(context, data[m], data[other]).view()),
          batch_of(result.view()));
    }
  }
  return result;
}

std::vector<double> data_squares(const std::vector<Matrix<double>>& data,
                                 MatrixView<const double> data_gram) {
  std::vector<double> squares;
  std::int64_t first = 0;
  for (const Matrix<double>& view : data) {
    double sum = 0;
    for (std::int64_t i = first; i < first + view.cols(); ++i) sum += data_gram(i, i);
    squares.push_back(sum);
    first += view.cols();
  }
  return squares;
}

Matrix<double> label_sums(CpuContext& context, const Matrix<double>& x,
                          const std::vector<std::int32_t>& labels, int clusters) {
  Matrix<double> sums(context.pool(), clusters, x.cols());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(clusters));
  kernels::sums_by_label<double>(context, x.view(), labels, sums.view(), sizes);
  return sums;
}

#define INSTANTIATE(Backend)                                                                      \
  template Batch<double> seen_by<Backend>(Backend&, const StackedEntries&, std::size_t,           \
                                          BatchView<const double>);                               \
  template Batch<double> gram_of<Backend>(Backend&, const StackedEntries&, std::size_t,           \
                                          BatchView<const double>);                               \
  template void scatter<Backend>(Backend&, const StackedEntries&, std::size_t, double,            \
                                 Span<const double>, BatchView<const double>, BatchView<double>); \
  template void update_gram<Backend>(Backend&, const StackedEntries&, const GramUpdate&,          \
                                     BatchView<double>);
INSTANTIATE(CpuContext)
#if defined(M2ST_WITH_CUDA)
INSTANTIATE(CudaContext)
#endif
#undef INSTANTIATE

}  // namespace m2st::cluster
