// The start of the reference solver's runs that begin alike, drawn and prepared once for all of a
// sweep's batches with the same specific dimension. Threads may ask at the same time.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/reduced_iteration.h"
#include "cluster/reference_state.h"
#include "engine/array.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

class PreparedStart {
 public:
  // Drawn when none is given; the given one is not owned.
  PreparedStart(CpuContext& context, const std::vector<Matrix<double>>& data,
                MatrixView<const double> gram, const ReferenceOptions& options,
                const std::optional<ReferenceState>& given);
  PreparedStart(const PreparedStart&) = delete;
  PreparedStart& operator=(const PreparedStart&) = delete;

  const ReducedStart& reduced() const { return reduced_; }

 private:
  std::optional<ReferenceState> drawn_;  // without S, which only served to make what follows
  ReducedStart reduced_;
};

class SharedStart {
 public:
  explicit SharedStart(std::optional<ReferenceState> given) : given_(std::move(given)) {}

  // Of the last call where its specific dimension was the same: data, Gram matrix and all other
  // options but λ always are.
  std::shared_ptr<const PreparedStart> of(CpuContext& context,
                                          const std::vector<Matrix<double>>& data,
                                          MatrixView<const double> gram,
                                          const ReferenceOptions& options);

 private:
  const std::optional<ReferenceState> given_;
  std::mutex mutex_;  // guards what is below
  int specific_dim_ = 0;
  std::shared_ptr<const PreparedStart> last_;
};

}  // namespace m2st::cluster
