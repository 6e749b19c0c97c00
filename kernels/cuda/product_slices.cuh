// Partial products of slices of the inner dimension, added in the order of the slices.
#pragma once

#include <cstdint>

#include "kernels/cuda/tile.cuh"
#include "kernels/product_cut.h"

namespace m2st::kernels {

// A slice's depth, for so many of them: whole stages of a tile.
template <class T>
std::int64_t slice_depth(std::int64_t depth, std::int64_t wanted) {
  return tiles(tiles(depth, wanted), kStageDepth<T>) * kStageDepth<T>;
}

template <class T>
struct SumOfSlices {
  const T* partial;
  std::int64_t size;
  std::int64_t slices;
  __device__ T operator()(std::int64_t i) const {
    T sum = partial[i];
    for (std::int64_t slice = 1; slice < slices; ++slice) sum += partial[slice * size + i];
    return sum;
  }
};

}  // namespace m2st::kernels
