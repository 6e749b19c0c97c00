// A CUDA context that takes host memory, so that tests written for the CPU run on it word for word:
// what a kernel's arguments show is copied to the device, the kernel runs there, and what it may
// write is copied back.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/batch.h"
#include "engine/copy.h"
#include "engine/cublas_lt.h"
#include "engine/cuda_context.h"
#include "engine/view.h"
#include "kernels/cell_sweep.h"
#include "kernels/separation.h"

namespace m2st::test {

// The device's copies of one call's arguments.
class Staging {
 public:
  explicit Staging(CudaContext& context) : context_(context) {}

  template <class U>
  Span<U> there(Span<U> here) {
    return {static_cast<U*>(copy_of(here.data(), here.size_bytes(), !std::is_const_v<U>)),
            here.size()};
  }
  template <class U>
  MatrixView<U> there(MatrixView<U> here) {
    return {there(here.span()).data(), here.rows, here.cols};
  }
  // With what lies between the rows of a block.
  template <class U>
  BatchView<U> there(BatchView<U> here) {
    here.data = there(Span<U>(here.data, static_cast<std::size_t>(here.reach()))).data();
    return here;
  }
  template <class T>
  kernels::SweptCells<T> there(const kernels::SweptCells<T>& here) {
    return {there(here.data_map), there(here.common_map), there(here.label_map), there(here.labels),
            there(here.common),   there(here.sums),       there(here.counts)};
  }
  kernels::ClusterSpreads there(const kernels::ClusterSpreads& here) {
    return {there(here.counts), there(here.centres), there(here.means), there(here.squares),
            there(here.distances)};
  }
  template <class Value>
  std::vector<Value> there(const std::vector<Value>& here) {
    std::vector<Value> copies;
    for (const Value& value : here) copies.push_back(there(value));
    return copies;
  }
  CsrView there(CsrView here) { return {there(here.offsets), there(here.sources)}; }
  GraphView there(const GraphView& here) {
    return {there(here.in),
            {there(here.out.offsets), there(here.out.destinations), there(here.out.edges)},
            there(here.ids)};
  }
  template <class Value>
  const Value& there(const Value& value) {
    return value;
  }

  void bring_back() {
    for (const Copy& copy : copies_) {
      if (copy.written) copy_bytes_out(context_, copy.there.data(), copy.here, copy.bytes);
    }
  }

 private:
  struct Copy {
    void* here;
    std::size_t bytes;
    bool written;
    Array<std::byte> there;
  };

  // Arguments that are one on the host are one on the device.
  void* copy_of(const void* here, std::size_t bytes, bool written) {
    if (bytes == 0) return nullptr;
    for (Copy& copy : copies_) {
      if (copy.here != here || copy.bytes != bytes) continue;
      copy.written = copy.written || written;
      return copy.there.data();
    }
    Array<std::byte> array(context_.pool(), static_cast<std::int64_t>(bytes));
    copy_bytes_in(context_, here, array.data(), bytes);
    copies_.push_back({const_cast<void*>(here), bytes, written, std::move(array)});
    return copies_.back().there.data();
  }

  CudaContext& context_;
  std::vector<Copy> copies_;
};

class StagedCuda {
 public:
  // As a CpuContext is made; a device has no number of threads. M2ST_TEST_MATMUL_LIBRARY=cublaslt:
  // products by the library.
  explicit StagedCuda(int = 0) {
    const char* library = std::getenv("M2ST_TEST_MATMUL_LIBRARY");
    if (library != nullptr && std::string_view(library) == "cublaslt") use_cublas_lt();
  }

  void use_cublas_lt() { cuda_.use_cublas_lt(std::make_shared<CublasLt>(cuda_)); }
  MatmulPrecision matmul_precision() const { return cuda_.matmul_precision(); }
  void set_matmul_precision(MatmulPrecision precision) { cuda_.set_matmul_precision(precision); }

  // Of host memory.
  MemoryPool& pool() { return pool_; }

  // kernel(CudaContext, the device's copies of the arguments...).
  template <class Kernel, class... Arguments>
  auto run(const Kernel& kernel, const Arguments&... arguments) {
    Staging staging(cuda_);
    if constexpr (std::is_void_v<decltype(kernel(cuda_, arguments...))>) {
      kernel(cuda_, staging.there(arguments)...);
      staging.bring_back();
    } else {
      const auto result = kernel(cuda_, staging.there(arguments)...);
      staging.bring_back();
      return result;
    }
  }

 private:
  MemoryPool pool_{host_memory()};
  CudaContext cuda_;
};

}  // namespace m2st::test
