// Stand-in for NVIDIA's cuBLASLt under its file name: products on the host, in the order of the
// executor's streams. It is as unkind as it may be: it takes the reduction without a fixed order
// where it is allowed, wants a workspace, and reports addresses that are not what was promised.
#include <cublasLt.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "engine/check.h"
#include "kernels/math/rounding.h"
#include "tests/simt/library.h"
#include "tests/simt/report.h"

struct cublasLtContext {};

struct cublasLtMatmulDescOpaque {
  cublasComputeType_t compute;
  cublasOperation_t operation_a = CUBLAS_OP_N, operation_b = CUBLAS_OP_N;
};

struct cublasLtMatrixLayoutOpaque {
  cudaDataType_t type;
  std::int64_t rows, cols, stride;
  std::int32_t count = 1;
  std::int64_t step = 0;

  std::size_t element_bytes() const { return type == CUDA_R_16BF ? 2 : 4; }
  std::size_t bytes() const {
    if (rows == 0 || cols == 0) return 0;
    return static_cast<std::size_t>((count - 1) * step + (cols - 1) * stride + rows) *
           element_bytes();
  }
};

struct cublasLtMatmulPreferenceOpaque {
  std::size_t workspace = 0;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint32_t alignment_a = 256, alignment_b = 256, alignment_c = 256, alignment_d = 256;
};

namespace {

using m2st::concat;
using m2st::simt::report;
using Product = cublasLtMatmulDescOpaque;
using Layout = cublasLtMatrixLayoutOpaque;

constexpr std::int64_t kLeastSplit = 512;  // of the inner dimension
constexpr std::int64_t kSlices = 4;

// What the engine carries from the heuristic to the product.
struct Algorithm {
  std::uint64_t scheme, slices, rows, cols, depth, alignment_a, alignment_b, alignment_d;
};
static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));

struct Sizes {
  std::int64_t rows, cols, depth;
};

bool fits(const Layout& layout, std::int64_t rows, std::int64_t cols) {
  return layout.rows == rows && layout.cols == cols &&
         layout.stride >= std::max<std::int64_t>(1, layout.rows);
}

std::int64_t rows_of(const Layout& layout, cublasOperation_t operation) {
  return operation == CUBLAS_OP_N ? layout.rows : layout.cols;
}
std::int64_t cols_of(const Layout& layout, cublasOperation_t operation) {
  return operation == CUBLAS_OP_N ? layout.cols : layout.rows;
}

cublasStatus_t sizes_of(const Product& product, const Layout& a, const Layout& b, const Layout& c,
                        const Layout& d, Sizes& sizes) {
  sizes = {rows_of(a, product.operation_a), cols_of(b, product.operation_b),
           cols_of(a, product.operation_a)};
  const bool batches = a.count == b.count && b.count == c.count && c.count == d.count;
  if (!batches || rows_of(b, product.operation_b) != sizes.depth || !fits(a, a.rows, a.cols) ||
      !fits(b, b.rows, b.cols) || !fits(c, sizes.rows, sizes.cols) ||
      !fits(d, sizes.rows, sizes.cols)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const bool floats = a.type == CUDA_R_32F || product.compute == CUBLAS_COMPUTE_32F;
  if (a.type != b.type || c.type != CUDA_R_32F || d.type != CUDA_R_32F || !floats) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  return CUBLAS_STATUS_SUCCESS;
}

// As float32 what the product multiplies: op(x), each line of the inner dimension whole.
std::vector<float> operand(const Product& product, const Layout& layout, const void* data,
                           std::int64_t first, bool inner_along_columns) {
  std::vector<float> values;
  const auto value = [&](std::int64_t place) {
    const std::int64_t at = first + place;
    if (layout.type == CUDA_R_16BF) {
      const std::uint32_t bits = static_cast<const std::uint16_t*>(data)[at];
      return std::bit_cast<float>(bits << 16);
    }
    const float x = static_cast<const float*>(data)[at];
    if (product.compute != CUBLAS_COMPUTE_32F_FAST_TF32) return x;
    return std::bit_cast<float>(m2st::kernels::rounded_bits<m2st::kernels::kBitsBelowTf32>(
        std::bit_cast<std::uint32_t>(x)));
  };
  const std::int64_t lines = inner_along_columns ? layout.cols : layout.rows;
  const std::int64_t depth = inner_along_columns ? layout.rows : layout.cols;
  for (std::int64_t line = 0; line < lines; ++line) {
    for (std::int64_t p = 0; p < depth; ++p) {
      values.push_back(
          value(inner_along_columns ? line * layout.stride + p : p * layout.stride + line));
    }
  }
  return values;
}

// One call, kept until its stream comes to it.
struct Job {
  Product product;
  Layout layout_a, layout_b, layout_c, layout_d;
  const void *a, *b, *c;
  void* d;
  float alpha, beta;
  Sizes sizes;
  Algorithm algorithm;
  float* workspace;

  void run() const {
    for (std::int64_t which = 0; which < layout_d.count; ++which) multiply(which);
  }
  void multiply(std::int64_t which) const;
};

void Job::multiply(std::int64_t which) const {
  const auto lines_a =
      operand(product, layout_a, a, which * layout_a.step, product.operation_a == CUBLAS_OP_T);
  const auto lines_b =
      operand(product, layout_b, b, which * layout_b.step, product.operation_b == CUBLAS_OP_N);
  const auto slices = static_cast<std::int64_t>(algorithm.slices);
  const std::int64_t slice = (sizes.depth + slices - 1) / slices;
  // Blocks that add to the same place come in another order every time.
  static std::int64_t calls = 0;
  const bool in_place = algorithm.scheme == CUBLASLT_REDUCTION_SCHEME_INPLACE;
  const std::int64_t first = in_place ? calls++ : 0;
  const auto* before = static_cast<const float*>(c) + which * layout_c.step;
  auto* after = static_cast<float*>(d) + which * layout_d.step;
  for (std::int64_t j = 0; j < sizes.cols; ++j) {
    for (std::int64_t i = 0; i < sizes.rows; ++i) {
      float sum = 0;
      for (std::int64_t s = 0; s < slices; ++s) {
        const std::int64_t begin = (first + s) % slices * slice;
        float part = 0;
        for (std::int64_t p = begin; p < std::min(begin + slice, sizes.depth); ++p) {
          part += lines_a[static_cast<std::size_t>(i * sizes.depth + p)] *
                  lines_b[static_cast<std::size_t>(j * sizes.depth + p)];
        }
        if (workspace != nullptr) {
          workspace[((which * slices + s) * sizes.cols + j) * sizes.rows + i] = part;
        }
        sum += part;
      }
      const float kept = beta == 0 ? 0 : beta * before[j * layout_c.stride + i];
      after[j * layout_d.stride + i] = alpha * sum + kept;
    }
  }
}

void require_aligned(const char* what, const void* address, std::uint64_t promised) {
  if (reinterpret_cast<std::uintptr_t>(address) % promised == 0) return;
  report(concat("cublasLtMatmul: ", what, " at ", address, " was promised to start on ", promised,
                " bytes"));
}

template <class Target, class Value = Target>
cublasStatus_t set(Target& target, const void* value, std::size_t bytes) {
  if (bytes != sizeof(Value)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&target, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

// M2ST_SIMT_CUBLASLT: `none`, a library that knows no algorithm; `no-room`, one for which the
// device has no memory.
bool is_told(std::string_view word) {
  const char* value = std::getenv("M2ST_SIMT_CUBLASLT");
  return value != nullptr && value == word;
}

}  // namespace

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (is_told("no-room")) return CUBLAS_STATUS_ALLOC_FAILED;
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasLtGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "unknown";
  }
}

std::size_t cublasLtGetVersion() { return 130000; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* product, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  if (scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  *product = new Product{compute};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t product) {
  delete product;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t product,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(product->operation_a, value, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(product->operation_b, value, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type,
                                          std::uint64_t rows, std::uint64_t cols,
                                          std::int64_t stride) {
  *layout =
      new Layout{type, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols), stride};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return set(layout->count, value, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return set(layout->step, value, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new cublasLtMatmulPreferenceOpaque;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return set(preference->workspace, value, bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return set(preference->reductions, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return set(preference->alignment_a, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return set(preference->alignment_b, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return set(preference->alignment_c, value, bytes);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return set(preference->alignment_d, value, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t product,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results,
                                              int* found) {
  *found = 0;
  Sizes sizes;
  if (const auto status = sizes_of(*product, *a, *b, *c, *d, sizes);
      status != CUBLAS_STATUS_SUCCESS || wanted < 1) {
    return status != CUBLAS_STATUS_SUCCESS ? status : CUBLAS_STATUS_INVALID_VALUE;
  }
  if (is_told("none")) return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm algorithm{CUBLASLT_REDUCTION_SCHEME_NONE,
                      1,
                      static_cast<std::uint64_t>(sizes.rows),
                      static_cast<std::uint64_t>(sizes.cols),
                      static_cast<std::uint64_t>(sizes.depth),
                      preference->alignment_a,
                      preference->alignment_b,
                      std::min(preference->alignment_c, preference->alignment_d)};
  const std::size_t workspace =
      static_cast<std::size_t>(d->count * kSlices * sizes.rows * sizes.cols) * sizeof(float);
  results[0] = {};
  if (sizes.depth >= kLeastSplit && (preference->reductions & CUBLASLT_REDUCTION_SCHEME_INPLACE)) {
    algorithm.scheme = CUBLASLT_REDUCTION_SCHEME_INPLACE;
    algorithm.slices = kSlices;
  } else if (sizes.depth >= kLeastSplit && workspace <= preference->workspace &&
             (preference->reductions & CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE)) {
    algorithm.scheme = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    algorithm.slices = kSlices;
    results[0].workspaceSize = workspace;
  }
  results[0].algo = std::bit_cast<cublasLtMatmulAlgo_t>(algorithm);
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t product, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t layout_a, const void* b,
                              cublasLtMatrixLayout_t layout_b, const void* beta, const void* c,
                              cublasLtMatrixLayout_t layout_c, void* d,
                              cublasLtMatrixLayout_t layout_d,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  Job job{*product,
          *layout_a,
          *layout_b,
          *layout_c,
          *layout_d,
          a,
          b,
          c,
          d,
          0,
          0,
          {},
          std::bit_cast<Algorithm>(*algorithm),
          nullptr};
  std::memcpy(&job.alpha, alpha, sizeof job.alpha);
  std::memcpy(&job.beta, beta, sizeof job.beta);
  if (const auto status = sizes_of(*product, *layout_a, *layout_b, *layout_c, *layout_d, job.sizes);
      status != CUBLAS_STATUS_SUCCESS) {
    return status;
  }
  const auto number = [](std::int64_t size) { return static_cast<std::uint64_t>(size); };
  if (job.algorithm.rows != number(job.sizes.rows) ||
      job.algorithm.cols != number(job.sizes.cols) ||
      job.algorithm.depth != number(job.sizes.depth)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  m2st::simt::require_device_memory("cublasLtMatmul: A", a, layout_a->bytes());
  m2st::simt::require_device_memory("cublasLtMatmul: B", b, layout_b->bytes());
  m2st::simt::require_device_memory("cublasLtMatmul: D", d, layout_d->bytes());
  if (job.beta != 0) m2st::simt::require_device_memory("cublasLtMatmul: C", c, layout_c->bytes());
  require_aligned("A", a, job.algorithm.alignment_a);
  require_aligned("B", b, job.algorithm.alignment_b);
  require_aligned("C", c, job.algorithm.alignment_d);
  require_aligned("D", d, job.algorithm.alignment_d);
  if (job.algorithm.scheme == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE) {
    const std::size_t needed = static_cast<std::size_t>(layout_d->count) * job.algorithm.slices *
                               job.algorithm.rows * job.algorithm.cols * sizeof(float);
    if (workspace_bytes < needed) return CUBLAS_STATUS_INVALID_VALUE;
    m2st::simt::require_device_memory("cublasLtMatmul: the workspace", workspace, needed);
    job.workspace = static_cast<float*>(workspace);
  }
  const bool known = m2st::simt::submit_work(
      "cublasLtMatmul", [job] { job.run(); }, stream);
  return known ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

}  // extern "C"
