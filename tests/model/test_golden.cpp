// The engine against values computed elsewhere: forward, every gradient, ten optimiser steps.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "model/training_step.h"
#include "tests/model/golden.h"
#include "tests/support/near.h"

namespace m2st::model {
namespace {

using test::Golden;
using test::golden_doubles;
using test::near;

// Float64: sums of at most some hundred terms, five layers deep.
// Float32: the same with eps = 6e-8; ten steps of Adam, whose first steps divide a gradient by its
// own size and so keep its relative error, amplify it by about ten.
template <class T>
struct Limits;
template <>
struct Limits<double> {
  static constexpr double kLoss = 1e-10;
  static constexpr double kTenLosses = 1e-10;
  static constexpr test::Tolerance kOutput{1e-12, 1e-11};
  static constexpr test::Tolerance kGradient{1e-9, 1e-9};
};
template <>
struct Limits<float> {
  static constexpr double kLoss = 2e-6;
  static constexpr double kTenLosses = 2e-5;
  static constexpr test::Tolerance kOutput{2e-6, 1e-5};
  static constexpr test::Tolerance kGradient{2e-5, 5e-5};
};

template <class T>
class GoldenValues : public testing::Test {
 protected:
  void SetUp() override { M2ST_NEEDS_SHARED("golden/tiny"); }

  StepLoss step(const Golden<T>& golden, const Autoencoder& autoencoder,
                autograd::ParameterBlock<T>& parameters, Path path = Path::kFused) {
    return training_step<T>(context_, Communicator(), autoencoder, parameters, golden.graph.view(),
                            golden.features.view(), golden.mask, TrainConfig(), 1, path);
  }

  Context context_ = cpu_context(2);
};

using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(GoldenValues, Precisions);

TYPED_TEST(GoldenValues, ParametersHaveTheGoldenNames) {
  const Golden<TypeParam> golden(this->context_);
  const Autoencoder autoencoder(golden.config, golden.features.cols());
  std::set<std::string> names;
  for (const auto& spec : autoencoder.layout().specs()) names.insert(spec.name);

  EXPECT_EQ(names, golden.json.at("parameters").template get<std::set<std::string>>());
}

TYPED_TEST(GoldenValues, ForwardPassIsTheGoldenOne) {
  using T = TypeParam;
  const Golden<T> golden(this->context_);
  const Autoencoder autoencoder(golden.config, golden.features.cols());
  const auto parameters = golden.parameters(this->context_, autoencoder);
  autograd::Tape<T> tape(this->context_, autograd::Tape<T>::Mode::kRecord);
  const Pass<T> pass{tape, parameters, golden.graph.view(), true, 0, 1, Path::kFused};

  const auto shared = autoencoder.encode_shared(
      pass, autoencoder.masked_features(pass, golden.features.view(), golden.mask));

  EXPECT_TRUE(near(shared.value().span(), golden_doubles("shared_output"), Limits<T>::kOutput));
  for (int scale = 0; scale < autoencoder.scales(); ++scale) {
    const std::string number = std::to_string(scale);
    const auto codes = autoencoder.encode(pass, scale, shared);
    EXPECT_TRUE(near(codes.value().span(), golden_doubles("encoder" + number + ".output"),
                     Limits<T>::kOutput));
    const auto output = autoencoder.decode<T>(pass, scale, codes, golden.mask);
    EXPECT_TRUE(near(output.value().span(), golden_doubles("decoder" + number + ".output"),
                     Limits<T>::kOutput));
  }
}

TYPED_TEST(GoldenValues, LossAndEveryGradientAreTheGoldenOnes) {
  using T = TypeParam;
  const Golden<T> golden(this->context_);
  const Autoencoder autoencoder(golden.config, golden.features.cols());
  for (const Path path : {Path::kFused, Path::kAggregated, Path::kPlain}) {
    auto parameters = golden.parameters(this->context_, autoencoder);

    const StepLoss loss = this->step(golden, autoencoder, parameters, path);

    EXPECT_NEAR(loss.total, golden.json.at("loss").template get<double>(), Limits<T>::kLoss);
    for (std::size_t scale = 0; scale < loss.per_scale.size(); ++scale) {
      EXPECT_NEAR(loss.per_scale[scale],
                  golden.json.at("loss_per_scale").at(scale).template get<double>(),
                  Limits<T>::kLoss);
    }
    for (int index = 0; index < parameters.layout().count(); ++index) {
      const std::string& name = parameters.layout()[index].name;
      const auto expected = golden_doubles("grad." + name);
      if (name.ends_with("attn_dst") && name.starts_with("decoder")) continue;
      EXPECT_TRUE(near(parameters.gradient(index).span(), expected, Limits<T>::kGradient)) << name;
    }
  }
}

// The decoder's logits from the destination are the same on all edges into a node that counts, and
// zero there because its code is zero: the softmax does not see them. Rounding leaves a residue
// below the other gradients' last digits.
TYPED_TEST(GoldenValues, DecoderDestinationAttentionHasNoGradient) {
  using T = TypeParam;
  const Golden<T> golden(this->context_);
  const Autoencoder autoencoder(golden.config, golden.features.cols());
  auto parameters = golden.parameters(this->context_, autoencoder);

  this->step(golden, autoencoder, parameters);

  for (int scale = 0; scale < autoencoder.scales(); ++scale) {
    const int index = parameters.layout().find("decoder" + std::to_string(scale) + ".attn_dst");
    ASSERT_GE(index, 0);
    for (const T gradient : parameters.gradient(index).span()) EXPECT_EQ(gradient, T(0));
  }
}

TYPED_TEST(GoldenValues, TenStepsGiveTheGoldenLosses) {
  using T = TypeParam;
  const Golden<T> golden(this->context_);
  const Autoencoder autoencoder(golden.config, golden.features.cols());
  auto parameters = golden.parameters(this->context_, autoencoder);
  const auto expected = golden.json.at("loss_history").template get<std::vector<double>>();

  for (std::size_t i = 0; i < expected.size(); ++i) {
    const StepLoss loss = this->step(golden, autoencoder, parameters);
    EXPECT_NEAR(loss.total, expected[i], Limits<T>::kTenLosses) << "step " << i + 1;
    parameters.adam_step(this->context_, kernels::AdamOptions(), static_cast<std::int64_t>(i + 1));
  }
}

}  // namespace
}  // namespace m2st::model
