// The autoencoder beyond the golden case: every option, the fused path against its composition,
// odd sizes, and that threads and the order of nodes do not matter.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "model/training_step.h"
#include "tests/model/tissue.h"
#include "tests/support/near.h"
#include "tests/support/random_graph.h"

namespace m2st::model {
namespace {

using test::near;

constexpr std::int64_t kCells = 150;
constexpr std::int64_t kWidth = 12;
constexpr int kEpoch = 3;

AutoencoderConfig small_config() {
  AutoencoderConfig config;
  config.hidden = 16;
  return config;
}

template <class T>
Matrix<T> converted(Context& context, MatrixView<const float> x) {
  Matrix<T> out(context.pool(), x.rows, x.cols);
  std::copy(x.span().begin(), x.span().end(), out.data());
  return out;
}

template <class T>
struct StepResult {
  StepLoss loss;
  std::vector<T> gradients;
};

// Loss and gradients of one epoch from the start values.
template <class T>
StepResult<T> one_step(Context& context, const test::Tissue& tissue,
                       const AutoencoderConfig& config, const TrainConfig& train,
                       Path path = Path::kFused) {
  const Autoencoder autoencoder(config, tissue.features.cols());
  autograd::ParameterBlock<T> parameters(context, autoencoder.layout(), train.seed);
  const MaskDraw mask =
      draw_mask(train.seed, kEpoch, train.mask_rate, train.replace_rate, tissue.graph.ids);
  const Matrix<T> features = converted<T>(context, tissue.view());
  const StepLoss loss =
      training_step<T>(context, Communicator(), autoencoder, parameters, tissue.graph.view(),
                       features.view(), mask, train, kEpoch, path);
  return {loss, {parameters.gradients().begin(), parameters.gradients().end()}};
}

struct Variant {
  std::string name;
  std::function<void(AutoencoderConfig&, TrainConfig&)> change;

  friend void PrintTo(const Variant& variant, std::ostream* stream) { *stream << variant.name; }
};

std::vector<Variant> variants() {
  return {
      {"defaults", [](auto&, auto&) {}},
      {"one_scale", [](auto& a, auto&) { a.scales = 1; }},
      {"three_scales", [](auto& a, auto&) { a.scales = 3; }},
      {"summed_heads", [](auto& a, auto&) { a.head_merge = HeadMerge::kSum; }},
      {"summed_decoder_heads",
       [](auto& a, auto&) {
         a.head_merge = HeadMerge::kSum;
         a.decoder_heads = 4;
       }},
      {"concatenated_decoder_heads", [](auto& a, auto&) { a.decoder_heads = 3; }},
      {"shared_activation", [](auto& a, auto&) { a.shared_activation = true; }},
      {"decoder_activation", [](auto& a, auto&) { a.decoder_activation = true; }},
      {"one_layer", [](auto& a, auto&) { a.layers = 1; }},
      {"no_map_to_the_decoder", [](auto& a, auto&) { a.encoder_to_decoder = false; }},
      {"learnable_remask", [](auto& a, auto&) { a.remask = Remask::kLearnable; }},
      {"narrow_shared_layer", [](auto& a, auto&) { a.shared_width = 5; }},
      {"one_head", [](auto& a, auto&) { a.heads = 1; }},
      {"no_bias", [](auto& a, auto&) { a.bias = false; }},
      {"no_dropout",
       [](auto& a, auto&) {
         a.feature_dropout = 0;
         a.attention_dropout = 0;
       }},
      {"replaced_nodes", [](auto&, auto& t) { t.replace_rate = 0.3; }},
      {"no_mask", [](auto&, auto& t) { t.mask_rate = 0; }},
      {"all_masked", [](auto&, auto& t) { t.mask_rate = 1; }},
      {"mean_squared_error", [](auto&, auto& t) { t.loss = LossKind::kMse; }},
      {"paper", [](auto& a, auto& t) { apply_compatibility("paper", a, t); }},
      {"reference", [](auto& a, auto& t) { apply_compatibility("reference", a, t); }},
  };
}

class EveryVariant : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    GetParam().change(config_, train_);
    validate(config_, train_, kCells, kWidth);
  }

  Context context_ = cpu_context(2);
  test::Tissue tissue_ = test::small_tissue(context_, kCells, kWidth);
  AutoencoderConfig config_ = small_config();
  TrainConfig train_;
};

// Sums of at most some hundred double terms in another order.
constexpr test::Tolerance kReordered{1e-12, 1e-11};

TEST_P(EveryVariant, FusedPathsAreTheComposition) {
  const auto composed = one_step<double>(context_, tissue_, config_, train_, Path::kPlain);
  for (const Path path : {Path::kFused, Path::kAggregated}) {
    const auto fused = one_step<double>(context_, tissue_, config_, train_, path);

    EXPECT_TRUE(std::isfinite(fused.loss.total));
    EXPECT_NEAR(fused.loss.total, composed.loss.total, 1e-12);
    EXPECT_TRUE(near(fused.gradients, composed.gradients, kReordered));
  }
}

TEST_P(EveryVariant, ThreadsDoNotChangeABit) {
  for (const Path path : {Path::kFused, Path::kAggregated}) {
    const auto two = one_step<float>(context_, tissue_, config_, train_, path);
    for (const int threads : {1, 5}) {
      Context context = cpu_context(threads);
      const auto other = one_step<float>(context, tissue_, config_, train_, path);

      EXPECT_EQ(other.loss.total, two.loss.total) << threads;
      EXPECT_EQ(other.gradients, two.gradients) << threads;
    }
  }
}

// The same nodes in another order draw the same masks and dropouts, so only rounding differs.
TEST_P(EveryVariant, OrderOfNodesChangesRoundingOnly) {
  const test::Tissue scrambled = test::reordered(context_, tissue_, test::scrambled_order(kCells));

  const auto plain = one_step<double>(context_, tissue_, config_, train_);
  const auto other = one_step<double>(context_, scrambled, config_, train_);

  EXPECT_NEAR(other.loss.total, plain.loss.total, 1e-12);
  EXPECT_TRUE(near(other.gradients, plain.gradients, kReordered));
}

// A small step along the gradient must lower the loss by what the gradient says: catches a part of
// the chain that no op's own test sees. No dropout kink is crossed by so small a step.
TEST_P(EveryVariant, LossFallsAlongTheGradient) {
  constexpr double kStep = 1e-6;
  // Curvature and the activations' kinks at a step of 1e-6.
  constexpr double kRelative = 1e-3;
  const Autoencoder autoencoder(config_, kWidth);
  autograd::ParameterBlock<double> parameters(context_, autoencoder.layout(), train_.seed);
  const MaskDraw mask =
      draw_mask(train_.seed, kEpoch, train_.mask_rate, train_.replace_rate, tissue_.graph.ids);
  const Matrix<double> features = converted<double>(context_, tissue_.view());
  // Biases and tokens start at zero, where the output of a node among masked ones is zero and the
  // cosine has no useful slope.
  const std::vector<double> noise = test::random_values<double>(std::ssize(parameters.values()), 1);
  for (std::size_t i = 0; i < noise.size(); ++i) parameters.values()[i] += 0.1 * noise[i];
  const auto loss = [&] {
    return training_step<double>(context_, Communicator(), autoencoder, parameters,
                                 tissue_.graph.view(), features.view(), mask, train_, kEpoch,
                                 Path::kFused)
        .total;
  };
  const double start = loss();
  const std::vector<double> gradient(parameters.gradients().begin(), parameters.gradients().end());
  double squares = 0;
  for (const double value : gradient) squares += value * value;
  const double step = kStep / std::sqrt(squares);

  for (std::size_t i = 0; i < gradient.size(); ++i) parameters.values()[i] -= step * gradient[i];

  ASSERT_GT(squares, 0);
  EXPECT_NEAR((start - loss()) / (step * squares), 1.0, kRelative);
}

INSTANTIATE_TEST_SUITE_P(Options, EveryVariant, testing::ValuesIn(variants()),
                         [](const auto& each) { return each.param.name; });

TEST(Autoencoder, WorksOnAnyNumberOfCells) {
  Context context = cpu_context(2);
  for (const std::int64_t cells : {1, 2, 3, 31, 32, 33}) {
    const test::Tissue tissue = test::small_tissue(context, cells, kWidth, 5);
    for (const bool paper : {false, true}) {
      AutoencoderConfig config = small_config();
      TrainConfig train;
      if (paper) apply_compatibility("paper", config, train);

      const auto step = one_step<float>(context, tissue, config, train);

      EXPECT_TRUE(std::isfinite(step.loss.total)) << cells << " cells";
      for (const float gradient : step.gradients) ASSERT_TRUE(std::isfinite(gradient));
    }
  }
}

TEST(Autoencoder, EmbeddingsHaveTheScalesWidths) {
  Context context = cpu_context(1);
  const test::Tissue tissue = test::small_tissue(context, kCells, kWidth);
  AutoencoderConfig config = small_config();
  config.scales = 3;
  const Autoencoder autoencoder(config, kWidth);
  const autograd::ParameterBlock<float> parameters(context, autoencoder.layout(), 0);

  const auto codes = embed<float>(context, autoencoder, parameters,
                                  PlacedData<float>(context, tissue.graph.view(), tissue.view()));

  ASSERT_EQ(codes.size(), 3u);
  EXPECT_EQ(codes[0].cols(), 16);
  EXPECT_EQ(codes[1].cols(), 8);
  EXPECT_EQ(codes[2].cols(), 4);
  for (const Matrix<float>& code : codes) EXPECT_EQ(code.rows(), kCells);
}

}  // namespace
}  // namespace m2st::model
