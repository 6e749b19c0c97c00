#include "autograd/parameters.h"

#include <cmath>
#include <utility>

#include "engine/copy.h"
#include "engine/random.h"
#include "kernels/fill.h"

namespace m2st::autograd {

namespace {

constexpr std::int64_t kAlignment = 16;  // elements: a cache line of float, two of double

std::int64_t aligned(std::int64_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

double draw(const Initialiser& initialiser, RandomKey key, std::uint32_t element) {
  switch (initialiser.distribution) {
    case Distribution::kConstant:
      return initialiser.scale;
    case Distribution::kNormal:
      return initialiser.scale * random_normal(key, element);
    case Distribution::kUniform:
      return initialiser.scale * (2 * random_uniform(key, element) - 1);
  }
  fail(ExitCode::kInternal, "initialiser: unknown distribution");
}

}  // namespace

Initialiser xavier_normal(std::int64_t fan_in, std::int64_t fan_out, double gain) {
  return {Distribution::kNormal, gain * std::sqrt(2.0 / static_cast<double>(fan_in + fan_out))};
}

Initialiser xavier_uniform(std::int64_t fan_in, std::int64_t fan_out, double gain) {
  return {Distribution::kUniform, gain * std::sqrt(6.0 / static_cast<double>(fan_in + fan_out))};
}

int ParameterLayout::add(std::string name, std::int64_t rows, std::int64_t cols,
                         Initialiser initialiser) {
  M2ST_CHECK(find(name) < 0, "parameters: two are named ", name);
  M2ST_CHECK(rows > 0 && cols > 0, "parameters: ", name, " is ", rows, " x ", cols);
  specs_.push_back({std::move(name), rows, cols, initialiser, block_size_});
  block_size_ += aligned(rows * cols);
  return count() - 1;
}

int ParameterLayout::find(const std::string& name) const {
  for (int index = 0; index < count(); ++index) {
    if ((*this)[index].name == name) return index;
  }
  return -1;
}

std::int64_t ParameterLayout::parameter_count() const {
  std::int64_t total = 0;
  for (const ParameterSpec& spec : specs_) total += spec.size();
  return total;
}

template <class T>
ParameterBlock<T>::ParameterBlock(Context& context, ParameterLayout layout, std::uint64_t seed)
    : layout_(std::move(layout)),
      values_(context.pool(), layout_.block_size()),
      gradients_(context.pool(), layout_.block_size()),
      first_moments_(context.pool(), layout_.block_size()),
      second_moments_(context.pool(), layout_.block_size()) {
  context.dispatch([&](auto& c) {
    for (Array<T>* array : {&gradients_, &first_moments_, &second_moments_}) {
      kernels::fill<T>(c, 0, array->span());
    }
  });
  initialise(context, seed);
  for (int index = 0; index < layout_.count(); ++index) {
    variables_.push_back(Variable<T>::parameter(value(index), gradient(index)));
  }
}

template <class T>
void ParameterBlock<T>::initialise(Context& context, std::uint64_t seed) {
  std::vector<T> start(static_cast<std::size_t>(layout_.block_size()));
  for (int index = 0; index < layout_.count(); ++index) {
    const ParameterSpec& spec = layout_[index];
    const RandomKey key{seed, stream_of(Purpose::kInitialise, static_cast<std::uint32_t>(index)),
                        0};
    T* values = start.data() + spec.offset;
    for (std::int64_t element = 0; element < spec.size(); ++element) {
      values[element] =
          static_cast<T>(draw(spec.initialiser, key, static_cast<std::uint32_t>(element)));
    }
  }
  context.dispatch([&](auto& c) { copy_in<T>(c, start, values_.span()); });
}

template <class T>
MatrixView<T> ParameterBlock<T>::value(int index) {
  return {values_.data() + layout_[index].offset, layout_[index].rows, layout_[index].cols};
}

template <class T>
MatrixView<T> ParameterBlock<T>::gradient(int index) {
  return {gradients_.data() + layout_[index].offset, layout_[index].rows, layout_[index].cols};
}

template <class T>
void ParameterBlock<T>::forget_gradients() {
  for (const Variable<T>& variable : variables_) variable.forget_gradient();
}

template <class T>
void ParameterBlock<T>::clear_unwritten_gradients(Context& context) {
  context.dispatch([&](auto& c) {
    for (int index = 0; index < layout_.count(); ++index) {
      if (!variable(index).has_gradient()) kernels::fill<T>(c, 0, gradient(index).span());
    }
  });
}

template <class T>
void ParameterBlock<T>::adam_step(Context& context, const kernels::AdamOptions& options,
                                  std::int64_t step) {
  context.dispatch([&](auto& c) {
    kernels::adam_step<T>(c, options, step, gradients_.span(), first_moments_.span(),
                          second_moments_.span(), values_.span());
  });
}

template class ParameterBlock<float>;
template class ParameterBlock<double>;

}  // namespace m2st::autograd
