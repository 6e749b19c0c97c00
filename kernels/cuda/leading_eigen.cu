// The leading eigenpairs on CUDA: products and the small eigenproblem on the device, blocks of
// eight vectors made orthonormal on the host.
#include "engine/cuda_context.h"
#include "kernels/block_lanczos.h"
#include "kernels/leading_eigen.h"

namespace m2st::kernels {

bool leading_eigen(CudaContext& context, std::int64_t n, const SymmetricOperator& apply,
                   Span<double> values, MatrixView<double> vectors) {
  return leading_eigen_by_lanczos(context, n, apply, values, vectors);
}

}  // namespace m2st::kernels
