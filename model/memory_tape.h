// The ops of autograd without a value: what each takes of its pool and when it gives it back. Each
// is the twin of the op of its name in autograd/ops.h and captures the same variables, for they
// keep their memory until the op has been walked back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/matmul_precision.h"
#include "model/block_counts.h"
#include "model/memory_plan.h"

namespace m2st::model {

// Bytes in use, given back at the end.
class CountedBlock {
 public:
  CountedBlock() = default;
  CountedBlock(BlockCounts& counts, std::int64_t bytes) : counts_(&counts), bytes_(bytes) {
    counts.take(bytes);
  }
  ~CountedBlock() { reset(); }
  CountedBlock(CountedBlock&& other) noexcept
      : counts_(other.counts_), bytes_(std::exchange(other.bytes_, 0)) {}
  CountedBlock& operator=(CountedBlock&& other) noexcept {
    if (this != &other) {
      reset();
      counts_ = other.counts_;
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  CountedBlock(const CountedBlock&) = delete;
  CountedBlock& operator=(const CountedBlock&) = delete;

  void reset() {
    if (bytes_ > 0) counts_->give_back(bytes_);
    bytes_ = 0;
  }
  bool empty() const { return bytes_ == 0; }

 private:
  BlockCounts* counts_ = nullptr;
  std::int64_t bytes_ = 0;
};

class MemoryTape {
 public:
  struct Node {
    std::int64_t rows, cols;
    bool needs_gradient;
    CountedBlock value, gradient;
  };
  using Variable = std::shared_ptr<Node>;

  // precision: of cuBLASLt's products.
  MemoryTape(BlockCounts& counts, PlanFor where, MatmulPrecision precision)
      : counts_(counts), where_(where), precision_(precision) {}

  // float32.
  CountedBlock floats(std::int64_t values) const;
  CountedBlock bfloat16s(std::int64_t values) const;
  Variable result(std::int64_t rows, std::int64_t cols, bool needs_gradient) const;

  Variable linear(const Variable& x, std::int64_t outputs);
  Variable linear_of_dropped(const Variable& x, std::int64_t outputs);
  Variable linear_of_tokens(const Variable& x, std::int64_t tokens, std::int64_t outputs);
  Variable linear_in_bfloat16(const Variable& x, bool last_use, std::int64_t outputs);
  Variable dropout(const Variable& x);
  // Dropout, bias or replaced rows: over the memory of x, and the gradient too.
  Variable in_place(const Variable& x, bool needs_gradient);
  Variable prelu(const Variable& x);
  Variable sum_heads(const Variable& x, int heads);
  Variable gather_rows(const Variable& x, std::int64_t rows);
  // The last to read x.
  Variable spread_rows(const Variable& x, std::int64_t rows);
  // Scores and attention; edges: of the graph of this layer.
  Variable attend(const Variable& projected, int heads, std::int64_t edges);
  // The same before the projection; tokens: rows of x that a token stands in.
  Variable sum_features(const Variable& x, int heads, std::int64_t tokens, std::int64_t edges);
  Variable project_heads(const Variable& x, int heads, std::int64_t outputs);
  void loss(const Variable& output);

  std::size_t length() const { return closures_.size(); }
  void walk_back_to(std::size_t length);

 private:
  template <class Backward>
  void record(const Variable& out, Backward backward) {
    if (out->needs_gradient) closures_.push_back([out, backward] { backward(); });
  }
  void take_gradient(const Variable& x) const;
  void take_gradient_of(const Variable& x, const Variable& from) const;
  void multiply(std::int64_t rows, std::int64_t cols, std::int64_t depth,
                std::int64_t heads = 1) const;
  void multiply_rounded(std::int64_t rows, std::int64_t cols, std::int64_t depth) const;
  void multiply_on_host(std::int64_t rows, std::int64_t cols, std::int64_t depth) const;

  BlockCounts& counts_;
  PlanFor where_;
  MatmulPrecision precision_;
  std::vector<std::function<void()>> closures_;
};

}  // namespace m2st::model
