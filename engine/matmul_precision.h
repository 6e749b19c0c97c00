// How exactly float32 products are made, in the words of PyTorch's float32_matmul_precision. A
// property of the context that products are made on; those in float64 do not look at it.
#pragma once

namespace m2st {

enum class MatmulPrecision {
  kHighest,  // float32 throughout
  kHigh,     // operands rounded to TF32: 10 bits of fraction; sums in float32
  kMedium,   // operands rounded to BF16: 7 bits of fraction; sums in float32
};

// Products of a context (one backend's, or the Context over them) have this precision for as long
// as this lives.
template <class Context>
class MatmulPrecisionScope {
 public:
  MatmulPrecisionScope(Context& context, MatmulPrecision precision)
      : context_(context), before_(context.matmul_precision()) {
    context_.set_matmul_precision(precision);
  }
  ~MatmulPrecisionScope() { context_.set_matmul_precision(before_); }
  MatmulPrecisionScope(const MatmulPrecisionScope&) = delete;
  MatmulPrecisionScope& operator=(const MatmulPrecisionScope&) = delete;

 private:
  Context& context_;
  MatmulPrecision before_;
};

}  // namespace m2st
