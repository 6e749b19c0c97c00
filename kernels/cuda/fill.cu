#include "kernels/cuda/elementwise.cuh"
#include "kernels/fill.h"

namespace m2st::kernels {

namespace {

template <class T>
struct Constant {
  T value;
  __device__ T operator()(std::int64_t) const { return value; }
};

}  // namespace

template <class T>
void fill(CudaContext& context, T value, Span<T> out) {
  write_elements(context, std::ssize(out), out.data(), Accumulate::kOverwrite, Constant<T>{value});
}

#define INSTANTIATE(T) template void fill<T>(CudaContext&, T, Span<T>);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace m2st::kernels
