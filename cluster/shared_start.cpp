#include "cluster/shared_start.h"

namespace m2st::cluster {
namespace {

// Checked: the state fits the data and the options.
const ReferenceState& checked(const std::vector<Matrix<double>>& data,
                              const ReferenceOptions& options, const ReferenceState& state) {
  check_state(data, options, state);
  return state;
}

std::optional<ReferenceState> drawn(CpuContext& context, const std::vector<Matrix<double>>& data,
                                    const ReferenceOptions& options, bool wanted) {
  if (!wanted) return {};
  return initial_state(context, data, options);
}

}  // namespace

PreparedStart::PreparedStart(CpuContext& context, const std::vector<Matrix<double>>& data,
                             MatrixView<const double> gram, const ReferenceOptions& options,
                             const std::optional<ReferenceState>& given)
    : drawn_(drawn(context, data, options, !given)),
      reduced_(context, data, gram, options, checked(data, options, given ? *given : *drawn_)) {
  if (!drawn_) return;
  for (ReferenceView& view : drawn_->views) view.specific.reset();
}

std::shared_ptr<const PreparedStart> SharedStart::of(CpuContext& context,
                                                     const std::vector<Matrix<double>>& data,
                                                     MatrixView<const double> gram,
                                                     const ReferenceOptions& options) {
  const std::lock_guard lock(mutex_);
  if (last_ == nullptr || specific_dim_ != options.specific_dim) {
    last_.reset();  // before the next takes memory
    last_ = std::make_shared<const PreparedStart>(context, data, gram, options, given_);
    specific_dim_ = options.specific_dim;
  }
  return last_;
}

}  // namespace m2st::cluster
