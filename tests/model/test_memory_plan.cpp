// The plan of an epoch's memory against the blocks that the host's pool holds after two.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <ostream>
#include <string>

#include "engine/communicator.h"
#include "model/epoch_memory.h"
#include "model/training_step.h"
#include "tests/model/tissue.h"

namespace m2st::model {
namespace {

constexpr std::int64_t kCells = 3000;
constexpr std::int64_t kWidth = 48;
// As promised of the process (docs/numerics.md); blocks are up to an eighth larger than their
// arrays, and products pack panels that are not planned.
constexpr double kTolerance = 0.1;

struct Case {
  std::string name;
  std::function<void(AutoencoderConfig&, TrainConfig&)> set;
};

void PrintTo(const Case& job, std::ostream* out) { *out << job.name; }

class HostMemoryPlan : public testing::TestWithParam<Case> {};

std::int64_t held_after_two_epochs(Context& context, const test::Tissue& tissue,
                                   const AutoencoderConfig& config, const TrainConfig& train) {
  const Autoencoder autoencoder(config, kWidth);
  autograd::ParameterBlock<float> parameters(context, autoencoder.layout(), 0);
  const PlacedData<float> data(context, tissue.graph.view(), tissue.view());
  const auto before = static_cast<std::int64_t>(context.pool().held());
  for (const int epoch : {1, 2}) {
    const MaskDraw mask = draw_mask(0, static_cast<std::uint32_t>(epoch), train.mask_rate,
                                    train.replace_rate, tissue.graph.view().ids);
    training_step<float>(context, Communicator(), autoencoder, parameters, data, mask, train, epoch,
                         usual_path(context));
  }
  return static_cast<std::int64_t>(context.pool().held()) - before;
}

TEST_P(HostMemoryPlan, IsWithinATenthOfWhatThePoolHolds) {
  Context context = cpu_context(1);
  if (!context.pool().keeps_blocks()) GTEST_SKIP() << "M2ST_EXACT_MEMORY is set";
  const test::Tissue tissue = test::small_tissue(context, kCells, kWidth);
  AutoencoderConfig config;
  config.hidden = 64;
  TrainConfig train;
  GetParam().set(config, train);
  context.set_matmul_precision(train.matmul_precision);

  const auto held = static_cast<double>(held_after_two_epochs(context, tissue, config, train));
  const auto planned = static_cast<double>(
      host_epoch_bytes({kCells, tissue.graph.view().edges(), kWidth}, config, train));

  RecordProperty("planned_over_held", std::to_string(planned / held));
  EXPECT_NEAR(planned / held, 1, kTolerance) << "planned " << planned << ", held " << held;
}

using A = AutoencoderConfig;
using R = TrainConfig;

void set_paper(A& config, R& train) { apply_compatibility("paper", config, train); }
void set_sum(A& config, R&) { config.head_merge = HeadMerge::kSum; }
void set_low(A&, R& train) { train.recompute = true; }
void set_medium(A&, R& train) { train.matmul_precision = MatmulPrecision::kMedium; }

template <class... Setters>
auto all(Setters... setters) {
  return [=](A& config, R& train) { (setters(config, train), ...); };
}

INSTANTIATE_TEST_SUITE_P(
    Options, HostMemoryPlan,
    testing::Values(
        Case{"fast", [](A&, R&) {}}, Case{"low", set_low}, Case{"paper", set_paper},
        Case{"paper_low", all(set_paper, set_low)}, Case{"sum", set_sum},
        Case{"sum_low", all(set_sum, set_low)}, Case{"sum_medium", all(set_sum, set_medium)},
        Case{"sum_of_narrow_heads", all(set_sum, [](A& a, R&) { a.shared_width = 16; })},
        Case{"medium", set_medium}, Case{"medium_low", all(set_medium, set_low)},
        Case{"medium_low_undropped",
             all(set_medium, set_low, [](A& a, R&) { a.feature_dropout = 0; })},
        Case{"undropped", [](A& a, R&) { a.feature_dropout = 0; }},
        Case{"learnable_remask", [](A& a, R&) { a.remask = Remask::kLearnable; }},
        Case{"unmasked", [](A&, R& r) { r.mask_rate = 0; }},
        Case{"replaced", [](A&, R& r) { r.replace_rate = 0.3; }},
        Case{"all_replaced", [](A&, R& r) { r.replace_rate = 1; }},
        Case{"three_scales", [](A& a, R&) { a.scales = 3; }},
        Case{"one_layer", [](A& a, R&) { a.layers = 1; }},
        Case{"decoder_heads", all(set_sum, [](A& a, R&) { a.decoder_heads = 4; })},
        Case{"activations", [](A& a, R&) { a.shared_activation = a.decoder_activation = true; }},
        Case{"direct_decoder", [](A& a, R&) { a.encoder_to_decoder = false; }}),
    [](const testing::TestParamInfo<Case>& job) { return job.param.name; });

}  // namespace
}  // namespace m2st::model
