// cuBLASLt through function pointers. The library thinks in matrices that lie column by column: to
// it our matrices are their own transposes, and outᵀ = op(b)ᵀ op(a)ᵀ, so it gets b first.
#include <cublasLt.h>
#include <dlfcn.h>

#include <algorithm>
#include <compare>
#include <map>
#include <type_traits>
#include <utility>

#include "engine/array.h"
#include "engine/check.h"
#include "engine/cublas_lt.h"

namespace m2st {

namespace {

constexpr std::uint32_t kPoolAlignment = 256;

// The largest power of two that divides the address, as far as it matters.
std::uint32_t alignment_of(const void* address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address) | kPoolAlignment;
  return static_cast<std::uint32_t>(number & -number);
}

void* opened(const std::vector<std::string>& files) {
  std::string reasons;
  for (const std::string& file : files) {
    if (void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    reasons += concat(reasons.empty() ? "" : "; ", dlerror());
  }
  fail(ExitCode::kDevice, "cuBLASLt: the library cannot be opened: ", reasons);
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) fail(ExitCode::kDevice, "cuBLASLt: the library has no ", name);
}

// One of the library's descriptions, destroyed with its owner.
template <class Description>
using Owned = std::unique_ptr<std::remove_pointer_t<Description>, cublasStatus_t (*)(Description)>;

// What decides on the algorithm. Addresses do by their alignment: arrays start on 256 bytes, and
// where parts of them start follows from shapes.
struct Shape {
  MatmulPrecision precision;
  bool transposed_a, transposed_b;
  std::int64_t rows, cols, depth, stride_a, stride_b, stride_out;
  std::int64_t count, step_a, step_b, step_out;
  std::uint32_t alignment_a, alignment_b, alignment_out;

  auto operator<=>(const Shape&) const = default;
};

// How a shape is multiplied.
struct Plan {
  Owned<cublasLtMatmulDesc_t> product;
  Owned<cublasLtMatrixLayout_t> a, b, out;
  bool possible = false;
  cublasLtMatmulAlgo_t algorithm = {};
  bool wants_workspace = false;
};

}  // namespace

// Never closed: a library that has given code to the driver cannot be taken away from under it.
struct CublasLt::Library {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtGetStatusString) status_text;
  decltype(&cublasLtGetVersion) version;
  decltype(&cublasLtMatmulDescCreate) create_product;
  decltype(&cublasLtMatmulDescDestroy) destroy_product;
  decltype(&cublasLtMatmulDescSetAttribute) set_product;
  decltype(&cublasLtMatrixLayoutCreate) create_layout;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&cublasLtMatrixLayoutSetAttribute) set_layout;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
  decltype(&cublasLtMatmulAlgoGetHeuristic) find_algorithms;
  decltype(&cublasLtMatmul) multiply;
  cublasLtHandle_t handle = nullptr;
  std::map<Shape, Plan> plans;

  explicit Library(void* file) {
    find(file, "cublasLtCreate", create);
    find(file, "cublasLtDestroy", destroy);
    find(file, "cublasLtGetStatusString", status_text);
    find(file, "cublasLtGetVersion", version);
    find(file, "cublasLtMatmulDescCreate", create_product);
    find(file, "cublasLtMatmulDescDestroy", destroy_product);
    find(file, "cublasLtMatmulDescSetAttribute", set_product);
    find(file, "cublasLtMatrixLayoutCreate", create_layout);
    find(file, "cublasLtMatrixLayoutDestroy", destroy_layout);
    find(file, "cublasLtMatrixLayoutSetAttribute", set_layout);
    find(file, "cublasLtMatmulPreferenceCreate", create_preference);
    find(file, "cublasLtMatmulPreferenceDestroy", destroy_preference);
    find(file, "cublasLtMatmulPreferenceSetAttribute", set_preference);
    find(file, "cublasLtMatmulAlgoGetHeuristic", find_algorithms);
    find(file, "cublasLtMatmul", multiply);
    check(create(&handle), "cublasLtCreate");
  }
  ~Library() {
    plans.clear();
    static_cast<void>(destroy(handle));
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void check(cublasStatus_t status, const char* call) const {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    const bool memory = status == CUBLAS_STATUS_ALLOC_FAILED;
    fail(memory ? ExitCode::kOutOfMemory : ExitCode::kDevice, "cuBLASLt: ", call, ": ",
         status_text(status));
  }
  template <class Value>
  void set(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute,
           Value value) const {
    check(set_product(product, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }
  template <class Value>
  void set(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attribute,
           Value value) const {
    check(set_layout(layout, attribute, &value, sizeof value), "cublasLtMatrixLayoutSetAttribute");
  }
  template <class Value>
  void set(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
           Value value) const {
    check(set_preference(preference, attribute, &value, sizeof value),
          "cublasLtMatmulPreferenceSetAttribute");
  }
};

namespace {

template <class Library>
Owned<cublasLtMatmulDesc_t> described(const Library& library, const LibraryProduct& product) {
  // Pedantic: no reduced precision, whatever the environment says about it.
  const cublasComputeType_t arithmetic =
      product.precision == MatmulPrecision::kHighest ? CUBLAS_COMPUTE_32F_PEDANTIC
      : product.precision == MatmulPrecision::kHigh  ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                     : CUBLAS_COMPUTE_32F;
  cublasLtMatmulDesc_t description = nullptr;
  library.check(library.create_product(&description, arithmetic, CUDA_R_32F),
                "cublasLtMatmulDescCreate");
  Owned<cublasLtMatmulDesc_t> owned(description, library.destroy_product);
  const auto operation = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  library.set(description, CUBLASLT_MATMUL_DESC_TRANSA, operation(product.b.transposed));
  library.set(description, CUBLASLT_MATMUL_DESC_TRANSB, operation(product.a.transposed));
  return owned;
}

// The memory of matrices that op makes rows × cols.
template <class Library>
Owned<cublasLtMatrixLayout_t> laid_out(const Library& library, cudaDataType_t type,
                                       std::int64_t rows, std::int64_t cols,
                                       const LibraryProduct::Operand& operand, std::int64_t count) {
  if (operand.transposed) std::swap(rows, cols);
  cublasLtMatrixLayout_t layout = nullptr;
  library.check(library.create_layout(&layout, type, static_cast<std::uint64_t>(cols),
                                      static_cast<std::uint64_t>(rows), operand.stride),
                "cublasLtMatrixLayoutCreate");
  Owned<cublasLtMatrixLayout_t> owned(layout, library.destroy_layout);
  library.set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(count));
  library.set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, operand.step);
  return owned;
}

template <class Library>
Owned<cublasLtMatmulPreference_t> preference(const Library& library) {
  cublasLtMatmulPreference_t wanted = nullptr;
  library.check(library.create_preference(&wanted), "cublasLtMatmulPreferenceCreate");
  Owned<cublasLtMatmulPreference_t> owned(wanted, library.destroy_preference);
  library.set(wanted, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
              static_cast<std::size_t>(kLibraryWorkspaceBytes));
  // Partial sums added in place come in the order in which blocks end; from the workspace, in one.
  library.set(wanted, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
              static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  return owned;
}

Shape shape_of(const LibraryProduct& product) {
  return {product.precision,
          product.a.transposed,
          product.b.transposed,
          product.rows,
          product.cols,
          product.depth,
          product.a.stride,
          product.b.stride,
          product.out_stride,
          product.count,
          product.a.step,
          product.b.step,
          product.out_step,
          alignment_of(product.a.data),
          alignment_of(product.b.data),
          alignment_of(product.out)};
}

template <class Library>
void choose_algorithm(const Library& library, const Shape& shape, Plan& plan) {
  const Owned<cublasLtMatmulPreference_t> wanted = preference(library);
  library.set(wanted.get(), CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, shape.alignment_b);
  library.set(wanted.get(), CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, shape.alignment_a);
  library.set(wanted.get(), CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, shape.alignment_out);
  library.set(wanted.get(), CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, shape.alignment_out);
  cublasLtMatmulHeuristicResult_t best = {};
  int found = 0;
  const cublasStatus_t status =
      library.find_algorithms(library.handle, plan.product.get(), plan.b.get(), plan.a.get(),
                              plan.out.get(), plan.out.get(), wanted.get(), 1, &best, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return;
  library.check(status, "cublasLtMatmulAlgoGetHeuristic");
  plan.possible = found > 0 && best.state == CUBLAS_STATUS_SUCCESS;
  plan.algorithm = best.algo;
  plan.wants_workspace = best.workspaceSize > 0;
}

template <class Library>
const Plan& plan_of(Library& library, const LibraryProduct& product) {
  const Shape shape = shape_of(product);
  if (const auto known = library.plans.find(shape); known != library.plans.end()) {
    return known->second;
  }
  const cudaDataType_t type =
      product.precision == MatmulPrecision::kMedium ? CUDA_R_16BF : CUDA_R_32F;
  Plan plan{described(library, product),
            laid_out(library, type, product.rows, product.depth, product.a, product.count),
            laid_out(library, type, product.depth, product.cols, product.b, product.count),
            laid_out(library, CUDA_R_32F, product.rows, product.cols,
                     {product.out, product.out_stride, false, product.out_step}, product.count)};
  choose_algorithm(library, shape, plan);
  return library.plans.emplace(shape, std::move(plan)).first->second;
}

}  // namespace

// The toolkit's own first; what is called here is the same in both.
std::vector<std::string> CublasLt::file_names() {
  return {"libcublasLt.so.13", "libcublasLt.so.12"};
}

CublasLt::CublasLt(const CudaContext& context, const std::vector<std::string>& files) {
  context.activate();
  library_ = std::make_unique<Library>(opened(files));
}

CublasLt::~CublasLt() = default;

bool CublasLt::multiply(CudaContext& context, const LibraryProduct& product) {
  context.activate();
  const Plan& plan = plan_of(*library_, product);
  if (!plan.possible) return false;
  Array<std::byte> workspace(context.pool(), plan.wants_workspace ? kLibraryWorkspaceBytes : 0);
  library_->check(library_->multiply(library_->handle, plan.product.get(), &product.alpha,
                                     product.b.data, plan.b.get(), product.a.data, plan.a.get(),
                                     &product.beta, product.out, plan.out.get(), product.out,
                                     plan.out.get(), &plan.algorithm, workspace.data(),
                                     static_cast<std::size_t>(workspace.size()), context.stream()),
                  "cublasLtMatmul");
  return true;
}

std::string CublasLt::version() const {
  const std::size_t number = library_->version();
  return concat(number / 10000, ".", number / 100 % 100, ".", number % 100);
}

}  // namespace m2st
