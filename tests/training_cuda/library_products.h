// Products of a context's CUDA backend by cuBLASLt.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include "engine/context.h"
#include "engine/cublas_lt.h"

namespace m2st::test {

// Why they cannot be, empty when they are from now on.
inline std::string why_not_by_cublas_lt(Context& context) {
  return context.dispatch([](auto& backend) -> std::string {
    if constexpr (std::is_same_v<std::decay_t<decltype(backend)>, CudaContext>) {
      try {
        backend.use_cublas_lt(std::make_shared<CublasLt>(backend));
        return "";
      } catch (const Error& error) {
        return error.what();
      }
    } else {
      return "not on CUDA";
    }
  });
}

}  // namespace m2st::test
