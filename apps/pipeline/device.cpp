#include "apps/pipeline/device.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>

#include "apps/pipeline/machine.h"
#include "engine/check.h"
#include "engine/cublas_lt.h"
#include "engine/device_memory.h"

namespace m2st::apps {

namespace {

enum class Kind { kAuto, kCpu, kCuda };

struct Wanted {
  Kind kind = Kind::kAuto;
  int index = 0;
};

Wanted wanted_device(const std::string& text) {
  if (text == "auto") return {Kind::kAuto, 0};
  if (text == "cpu") return {Kind::kCpu, 0};
  if (text == "cuda") return {Kind::kCuda, 0};
  constexpr std::string_view kPrefix = "cuda:";
  Wanted wanted{Kind::kCuda, 0};
  const char* const end = text.data() + text.size();
  const char* const digits = text.data() + std::min(kPrefix.size(), text.size());
  const auto [stop, error] = std::from_chars(digits, end, wanted.index);
  if (!text.starts_with(kPrefix) || error != std::errc() || stop != end || wanted.index < 0) {
    fail(ExitCode::kUsage, "--device ", text, ": there are auto, cpu, cuda and cuda:N");
  }
  return wanted;
}

#if defined(M2ST_WITH_CUDA)

ChosenDevice cpu_instead(int threads, const std::string& reason) {
  return {cpu_context(threads), concat("--device auto: runs on the CPU: ", reason)};
}

ChosenDevice automatic_device(int threads) {
  const CudaReadiness readiness = cuda_readiness();
  if (readiness.state == CudaState::kAbsent) return {cpu_context(threads), ""};
  if (readiness.state == CudaState::kUnfit) return cpu_instead(threads, readiness.reason);
  try {
    return {cuda_context(0, threads), ""};
  } catch (const Error& error) {
    // Others can have taken so much of its memory that not even a context is left.
    if (error.code() != ExitCode::kDevice && error.code() != ExitCode::kOutOfMemory) throw;
    return cpu_instead(threads, error.what());
  }
}

Context wanted_context(const Wanted& wanted, int threads) {
  if (const std::string reason = why_no_cuda_device(); !reason.empty()) {
    fail(ExitCode::kDevice, "--device cuda: no device can be used: ", reason, "; use --device cpu");
  }
  return cuda_context(wanted.index, threads);
}

#else

ChosenDevice automatic_device(int threads) { return {cpu_context(threads), ""}; }

Context wanted_context(const Wanted&, int) {
  fail(ExitCode::kDevice, "--device cuda: this build has no CUDA backend; use --device cpu");
}

#endif

}  // namespace

ChosenDevice choose_device(const std::string& text, int threads) {
  const Wanted wanted = wanted_device(text);
  switch (wanted.kind) {
    case Kind::kAuto:
      return automatic_device(threads);
    case Kind::kCpu:
      return {cpu_context(threads), ""};
    case Kind::kCuda:
      return {wanted_context(wanted, threads), ""};
  }
  fail(ExitCode::kInternal, "--device: unknown kind");
}

bool is_automatic(const std::string& text) { return wanted_device(text).kind == Kind::kAuto; }

std::string device_name(Context& context) {
  return context.dispatch([](auto& backend) -> std::string {
    if constexpr (requires { backend.device(); }) {
      return concat("cuda:", backend.device());
    } else {
      return "cpu";
    }
  });
}

std::int64_t available_bytes(Context& context) {
  return context.on_host() ? available_memory_bytes() : free_device_bytes(context);
}

std::string use_matmul_library(Context& context, MatmulLibrary wanted, MatmulPrecision precision) {
  const bool automatic = wanted == MatmulLibrary::kAuto;
  if (context.on_host() && wanted == MatmulLibrary::kCublasLt) {
    fail(ExitCode::kDevice,
         "--matmul-library cublaslt: training runs on the CPU; use --device cuda");
  }
  if (wanted == MatmulLibrary::kOwn || (automatic && precision == MatmulPrecision::kHighest)) {
    return "";
  }
  return context.dispatch([&](auto& backend) -> std::string {
    if constexpr (requires { backend.use_cublas_lt({}); }) {
      try {
        backend.use_cublas_lt(std::make_shared<CublasLt>(backend));
      } catch (const Error& error) {
        // Without memory for the library the plan may still fit.
        const bool scarce = automatic && error.code() == ExitCode::kOutOfMemory;
        if (error.code() != ExitCode::kDevice && !scarce) throw;
        if (!automatic) {
          fail(ExitCode::kDevice, "--matmul-library cublaslt: ", error.what(),
               "; install it, name its folder in LD_LIBRARY_PATH, or use --matmul-library own");
        }
        return concat("--matmul-library auto: products do without tensor cores: ", error.what());
      }
    }
    return "";
  });
}

bool multiplies_by_library(Context& context) {
  return context.dispatch([](auto& backend) {
    if constexpr (requires { backend.cublas_lt(); }) {
      return backend.cublas_lt() != nullptr;
    } else {
      return false;
    }
  });
}

}  // namespace m2st::apps
