// The leading eigenpairs on the CPU.
#include "kernels/leading_eigen.h"

#include "kernels/block_lanczos.h"

namespace m2st::kernels {

bool leading_eigen(CpuContext& context, std::int64_t n, const SymmetricOperator& apply,
                   Span<double> values, MatrixView<double> vectors) {
  return leading_eigen_by_lanczos(context, n, apply, values, vectors);
}

}  // namespace m2st::kernels
