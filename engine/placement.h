// Host arrays as a context's kernels see them: themselves where kernels work on host memory, copies
// in the device's memory elsewhere. Views are good for as long as the placement and the host's
// arrays.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/array.h"
#include "engine/context.h"
#include "engine/copy.h"
#include "engine/view.h"

namespace m2st {

class Placement {
 public:
  explicit Placement(Context& context) : context_(&context) {}

  template <class T>
  Span<const T> place(Span<const T> host) {
    return context_->dispatch([&](auto& backend) { return placed_by(backend, host); });
  }
  template <class T>
  MatrixView<const T> place(MatrixView<const T> host) {
    return {place(host.span()).data(), host.rows, host.cols};
  }
  GraphView place(const GraphView& host) {
    return {{place(host.in.offsets), place(host.in.sources)},
            {place(host.out.offsets), place(host.out.destinations), place(host.out.edges)},
            place(host.ids)};
  }

 private:
  template <class T, class Backend>
  Span<const T> placed_by(Backend& backend, Span<const T> host) {
    if constexpr (std::is_same_v<Backend, CpuContext>) {
      return host;
    } else {
      if (host.empty()) return {};
      Array<std::byte> copy(backend.pool(), static_cast<std::int64_t>(host.size_bytes()));
      copy_bytes_in(backend, host.data(), copy.data(), host.size_bytes());
      copies_.push_back(std::move(copy));
      return {reinterpret_cast<const T*>(copies_.back().data()), host.size()};
    }
  }

  Context* context_;
  std::vector<Array<std::byte>> copies_;
};

// The other way: what a backend's kernels gave, in host memory.
template <class T, class Backend>
Matrix<T> brought_to_host(CpuContext& host, Backend& backend, Matrix<T> matrix) {
  if constexpr (std::is_same_v<Backend, CpuContext>) {
    return matrix;
  } else {
    Matrix<T> here(host.pool(), matrix.rows(), matrix.cols());
    copy_out<T>(backend, std::as_const(matrix).span(), here.span());
    return here;
  }
}
template <class T>
Matrix<T> brought_to_host(Context& context, Matrix<T> matrix) {
  return context.dispatch(
      [&](auto& backend) { return brought_to_host(context.host(), backend, std::move(matrix)); });
}

}  // namespace m2st
