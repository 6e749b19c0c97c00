// Accesses outside of memory, misaligned, or to what nobody wrote.
#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

constexpr int kSize = 100;

template <bool kPlanted>
__global__ void write_all(int* out, int size) {
  const int i = global_thread();
  if (kPlanted ? i <= size : i < size) out[i] = i;
}

template <bool kPlanted>
bool write_one_too_many(CudaContext& context) {
  auto out = on_device(context, std::vector<int>(kSize, -7));
  launch(write_all<kPlanted>, dim3(4), dim3(32), 0, context, out.data(), kSize);
  return on_host(context, out) == counting(kSize);
}

template <bool kPlanted>
__global__ void read_right(const int* in, int* out, int size) {
  const int i = global_thread();
  if (i >= size) return;
  const int right = kPlanted || i + 1 < size ? in[i + 1] : 0;
  out[i] = i + 1 < size ? right : 0;
}

template <bool kPlanted>
bool read_one_too_many(CudaContext& context) {
  const auto in = on_device(context, counting(kSize));
  auto out = on_device(context, std::vector<int>(kSize, -7));
  launch(read_right<kPlanted>, dim3(4), dim3(32), 0, context, in.data(), out.data(), kSize);
  return on_host(context, out)[0] == 1;
}

struct Narrow {
  int value[32];
};
struct Wide {
  int value[33];
};

template <bool kPlanted>
__global__ void shift_in_shared(const int* in, int* out) {
  using Line = std::conditional_t<kPlanted, Narrow, Wide>;
  int* line = block_shared<Line>().value;
  line[thread_number() + 1] = in[thread_number()];
  if (thread_number() == 0) line[0] = 0;
  __syncthreads();
  out[thread_number()] = line[thread_number()];
}

template <bool kPlanted>
bool shared_one_too_small(CudaContext& context) {
  return maps(context, shift_in_shared<kPlanted>, 1, 32, [](int i) { return i == 0 ? 0 : i - 1; });
}

__global__ void reverse_dynamic(const int* in, int* out) {
  int* line = block_shared_dynamic<int>();
  line[thread_number()] = in[thread_number()];
  __syncthreads();
  out[thread_number()] = line[31 - thread_number()];
}

template <bool kPlanted>
bool dynamic_shared_too_small(CudaContext& context) {
  const auto in = on_device(context, counting(32));
  auto out = on_device(context, std::vector<int>(32, -7));
  launch(reverse_dynamic, dim3(1), dim3(32), kPlanted ? 31 * sizeof(int) : 32 * sizeof(int),
         context, in.data(), out.data());
  return on_host(context, out)[31] == 0;
}

template <bool kPlanted>
__global__ void copy_by_four(const float* in, float* out) {
  const int first = 4 * thread_number() + (kPlanted ? 1 : 0);
  const float4 four = *reinterpret_cast<const float4*>(in + first);
  out[thread_number()] = four.x;
}

template <bool kPlanted>
bool misaligned_vector_load(CudaContext& context) {
  const auto in = on_device(context, std::vector<float>(136, 1.0f));
  auto out = on_device(context, std::vector<float>(32, 0.0f));
  launch(copy_by_four<kPlanted>, dim3(1), dim3(32), 0, context, in.data(), out.data());
  return on_host(context, out) == std::vector<float>(32, 1.0f);
}

// Row 70,000 of a matrix as wide: the offset of its first element needs more than 32 bits.
template <bool kPlanted>
__global__ void offset_of_row(int rows, int width, long long* out) {
  if constexpr (kPlanted) {
    *out = rows * width;
  } else {
    *out = static_cast<long long>(rows) * width;
  }
}

template <bool kPlanted>
bool index_overflows(CudaContext& context) {
  auto out = on_device(context, std::vector<long long>{0});
  launch(offset_of_row<kPlanted>, dim3(1), dim3(1), 0, context, 70000, 70000, out.data());
  return on_host(context, out)[0] > 0;
}

template <bool kPlanted>
__global__ void histogram(const int* in, int* out) {
  Narrow& bins = block_shared<Narrow>();
  if constexpr (!kPlanted) bins.value[thread_number()] = 0;
  __syncthreads();
  atomicAdd(&bins.value[in[thread_number()] % 32], 1);
  __syncthreads();
  out[thread_number()] = bins.value[thread_number()];
}

template <bool kPlanted>
bool shared_never_zeroed(CudaContext& context) {
  return maps(context, histogram<kPlanted>, 1, 32, [](int) { return 1; });
}

__global__ void add_one(int* out) { atomicAdd(out, 1); }

template <bool kPlanted>
bool output_never_zeroed(CudaContext& context) {
  Array<int> out(context.pool(), 1);
  if constexpr (!kPlanted) copy_in<int>(context, std::vector<int>{0}, out.span());
  launch(add_one, dim3(1), dim3(32), 0, context, out.data());
  return on_host(context, out)[0] == 32;
}

template <bool kPlanted>
__global__ void too_much_shared(const int* in, int* out) {
  struct Large {
    int value[kPlanted ? 12289 : 12288];  // 48 KiB hold 12,288
  };
  Large& large = block_shared<Large>();
  large.value[thread_number()] = in[thread_number()];
  out[thread_number()] = large.value[thread_number()];
}

template <bool kPlanted>
bool static_shared_beyond_its_limit(CudaContext& context) {
  return maps(context, too_much_shared<kPlanted>, 1, 32, [](int i) { return i; });
}

}  // namespace

std::vector<Planted> memory_bugs() {
  return {
      {"write_one_too_many", write_one_too_many<true>, write_one_too_many<false>},
      {"read_one_too_many", read_one_too_many<true>, read_one_too_many<false>},
      {"shared_one_too_small", shared_one_too_small<true>, shared_one_too_small<false>},
      {"dynamic_shared_too_small", dynamic_shared_too_small<true>, dynamic_shared_too_small<false>},
      {"misaligned_vector_load", misaligned_vector_load<true>, misaligned_vector_load<false>},
      {"index_overflows", index_overflows<true>, index_overflows<false>},
      {"shared_never_zeroed", shared_never_zeroed<true>, shared_never_zeroed<false>},
      {"output_never_zeroed", output_never_zeroed<true>, output_never_zeroed<false>},
      {"static_shared_beyond_its_limit", static_shared_beyond_its_limit<true>,
       static_shared_beyond_its_limit<false>}};
}

}  // namespace m2st::simt::planted
