#include "model/memory_tape.h"

#include <algorithm>

#include "engine/cublas_lt.h"
#include "kernels/product_cut.h"

namespace m2st::model {

using Variable = MemoryTape::Variable;

namespace {

// Of products with the longest vectors; shorter ones cut fewer products into slices.
constexpr std::int64_t kRowBlock = 168;
constexpr std::int64_t kPackedLimit = std::int64_t{1} << 24;
// Rows whose sums the kernels of attention and of scores take at once.
constexpr std::int64_t kRowsOfBiasSum = 32, kRowsOfScoreSum = 64;
constexpr int kScores = 3;  // of sources, of destinations, sums of logits

std::int64_t chunks_of(const MemoryTape::Node& x, std::int64_t rows) {
  return (x.rows + rows - 1) / rows * x.cols;
}

}  // namespace

CountedBlock MemoryTape::floats(std::int64_t values) const {
  return {counts_, values * static_cast<std::int64_t>(sizeof(float))};
}

CountedBlock MemoryTape::bfloat16s(std::int64_t values) const {
  return {counts_, values * static_cast<std::int64_t>(sizeof(std::uint16_t))};
}

Variable MemoryTape::result(std::int64_t rows, std::int64_t cols, bool needs_gradient) const {
  return std::make_shared<Node>(Node{rows, cols, needs_gradient, floats(rows * cols), {}});
}

void MemoryTape::take_gradient(const Variable& x) const {
  if (x->needs_gradient && x->gradient.empty()) x->gradient = floats(x->rows * x->cols);
}

// In the memory of the result's, where it is the first to arrive.
void MemoryTape::take_gradient_of(const Variable& x, const Variable& from) const {
  if (x->needs_gradient && x->gradient.empty()) x->gradient = std::move(from->gradient);
}

// The partial products, or the right operand packed.
void MemoryTape::multiply_on_host(std::int64_t rows, std::int64_t cols, std::int64_t depth) const {
  const std::int64_t slices = kernels::slices_on_host(rows, kRowBlock, depth);
  floats(slices > 1 ? slices * rows * cols : std::min(cols * depth, kPackedLimit));
}

// What products of (rows, cols) over so many terms borrow, one a head.
void MemoryTape::multiply(std::int64_t rows, std::int64_t cols, std::int64_t depth,
                          std::int64_t heads) const {
  if (where_ == PlanFor::kHost) return multiply_on_host(rows, cols, depth);
  if (where_ == PlanFor::kDeviceAndLibrary && fill_library_tiles(rows, cols, depth)) {
    const CountedBlock workspace(counts_, kLibraryWorkspaceBytes);
    const bool copies = precision_ == MatmulPrecision::kMedium;
    const CountedBlock left = bfloat16s(copies ? heads * rows * depth : 0);
    const CountedBlock right = bfloat16s(copies ? heads * cols * depth : 0);
    return;
  }
  if (rows == 0 || cols == 0) return;
  const std::int64_t slices = kernels::wanted_slices(heads, rows, cols, depth);
  if (slices > 1) floats(slices * heads * rows * cols);
}

// The same of operands in BF16, which products of the engine's own read in float32.
void MemoryTape::multiply_rounded(std::int64_t rows, std::int64_t cols, std::int64_t depth) const {
  if (where_ == PlanFor::kHost) return multiply_on_host(rows, cols, depth);
  if (fill_library_tiles(rows, cols, depth)) {
    const CountedBlock workspace(counts_, kLibraryWorkspaceBytes);
    return;
  }
  const CountedBlock left = floats(rows * depth), right = floats(cols * depth);
}

Variable MemoryTape::linear(const Variable& x, std::int64_t outputs) {
  const Variable out = result(x->rows, outputs, true);
  multiply(x->rows, outputs, x->cols);
  record(out, [this, x, outputs] {
    multiply(outputs, x->cols, x->rows);
    take_gradient(x);
    if (x->needs_gradient) multiply(x->rows, x->cols, outputs);
  });
  return out;
}

Variable MemoryTape::linear_of_dropped(const Variable& x, std::int64_t outputs) {
  const Variable out = result(x->rows, outputs, true);
  floats(x->rows * x->cols);
  multiply(x->rows, outputs, x->cols);
  record(out, [this, x, outputs] {
    const CountedBlock dropped = floats(x->rows * x->cols);
    multiply(outputs, x->cols, x->rows);
    take_gradient(x);
    multiply(x->rows, x->cols, outputs);
  });
  return out;
}

Variable MemoryTape::linear_of_tokens(const Variable& x, std::int64_t tokens,
                                      std::int64_t outputs) {
  const Variable out = result(x->rows, outputs, true);
  record(out, [this, x, tokens, outputs] {
    {
      const CountedBlock others = floats((x->rows - tokens) * x->cols);
      multiply(outputs, x->cols, x->rows - tokens);
    }
    const CountedBlock factors = floats(tokens * x->cols);
    const CountedBlock scaled = floats(outputs * x->cols);
    multiply(outputs, x->cols, tokens);
  });
  return out;
}

Variable MemoryTape::linear_in_bfloat16(const Variable& x, bool last_use, std::int64_t outputs) {
  const Variable out = result(x->rows, outputs, true);
  const auto kept = std::make_shared<CountedBlock>(bfloat16s(x->rows * x->cols));
  if (last_use) x->value.reset();
  const auto weight = std::make_shared<CountedBlock>(bfloat16s(outputs * x->cols));
  multiply_rounded(x->rows, outputs, x->cols);
  record(out, [this, x, kept, weight, outputs] {
    const CountedBlock rounded = bfloat16s(x->rows * outputs);
    multiply_rounded(outputs, x->cols, x->rows);
    if (!x->needs_gradient) return;
    CountedBlock buffer;
    if (!x->gradient.empty()) buffer = floats(x->rows * x->cols);
    take_gradient(x);
    multiply_rounded(x->rows, x->cols, outputs);
  });
  return out;
}

Variable MemoryTape::dropout(const Variable& x) {
  const Variable out = result(x->rows, x->cols, x->needs_gradient);
  record(out, [this, x, out] { take_gradient_of(x, out); });
  return out;
}

Variable MemoryTape::in_place(const Variable& x, bool needs_gradient) {
  const Variable out =
      std::make_shared<Node>(Node{x->rows, x->cols, needs_gradient, std::move(x->value), {}});
  record(out, [this, x, out] { take_gradient_of(x, out); });
  return out;
}

Variable MemoryTape::prelu(const Variable& x) {
  const Variable out = result(x->rows, x->cols, true);
  record(out, [this, x, out] { take_gradient_of(x, out); });
  return out;
}

Variable MemoryTape::sum_heads(const Variable& x, int heads) {
  const Variable out = result(x->rows, x->cols / heads, true);
  record(out, [this, x] { take_gradient(x); });
  return out;
}

Variable MemoryTape::gather_rows(const Variable& x, std::int64_t rows) {
  const Variable out = result(rows, x->cols, true);
  record(out, [this, x] { take_gradient(x); });
  return out;
}

Variable MemoryTape::spread_rows(const Variable& x, std::int64_t rows) {
  const Variable out = result(rows, x->cols, true);
  x->value.reset();
  record(out, [this, x] { take_gradient(x); });
  return out;
}

Variable MemoryTape::attend(const Variable& projected, int heads, std::int64_t edges) {
  const std::int64_t nodes = projected->rows;
  const bool on_host = where_ == PlanFor::kHost;
  const Variable source = result(nodes, heads, true), destination = result(nodes, heads, true);
  record(source, [this, projected, source, destination, on_host] {
    if (!on_host) return;
    const CountedBlock source_sums = floats(chunks_of(*projected, kRowsOfScoreSum));
    const CountedBlock destination_sums = floats(chunks_of(*projected, kRowsOfScoreSum));
  });
  const Variable out = result(nodes, projected->cols, true);
  const auto log_sums = std::make_shared<CountedBlock>(floats(nodes * heads));
  record(out, [this, projected, source, destination, log_sums, heads, edges, on_host] {
    take_gradient(projected);
    take_gradient(source);
    take_gradient(destination);
    const CountedBlock row_terms = floats(projected->rows * heads);
    const CountedBlock logits = floats(edges * heads);
    const CountedBlock bias_sums = floats(on_host ? chunks_of(*projected, kRowsOfBiasSum) : 0);
  });
  return out;
}

Variable MemoryTape::sum_features(const Variable& x, int heads, std::int64_t tokens,
                                  std::int64_t edges) {
  const auto scores = std::make_shared<CountedBlock>(floats(kScores * x->rows * heads));
  const Variable out = result(x->rows, heads * x->cols, true);
  record(out, [this, x, scores, heads, tokens, edges] {
    const CountedBlock gradients = floats(2 * x->rows * heads);
    const CountedBlock factors = floats(tokens * x->cols);
    const CountedBlock terms = floats(tokens > 0 ? x->rows * (x->cols + 1) : 0);
    const CountedBlock logits = floats(edges * heads);
  });
  return out;
}

Variable MemoryTape::project_heads(const Variable& x, int heads, std::int64_t outputs) {
  const Variable out = result(x->rows, outputs, true);
  const std::int64_t features = outputs / heads, inputs = x->cols / heads;
  multiply(x->rows, features, inputs, heads);
  record(out, [this, x, heads, features, inputs] {
    multiply(features, inputs, x->rows, heads);
    take_gradient(x);
    multiply(x->rows, inputs, features, heads);
  });
  return out;
}

void MemoryTape::loss(const Variable& output) {
  closures_.push_back([this, output] { take_gradient(output); });
}

void MemoryTape::walk_back_to(std::size_t length) {
  while (closures_.size() > length) {
    const std::function<void()> closure = std::move(closures_.back());
    closures_.pop_back();
    closure();
  }
}

}  // namespace m2st::model
