// The variables of several option sets of one shape while a reduced solver runs, in the memory of
// the backend that it runs on; and what the updates need to see of them, whoever holds them.
#pragma once

#include <cstdint>
#include <vector>

#include "cluster/reference_state.h"
#include "engine/array.h"
#include "engine/batch.h"
#include "engine/copy.h"
#include "engine/view.h"

namespace m2st::cluster {

struct SolverView {
  Batch<double> specific_map;  // P (d_s, d_m)
  Batch<double> common_map;    // W (d_c, d_m)
  Batch<double> centres;       // V (d_s, K)
};

struct SolverState {
  std::vector<SolverView> views;
  Batch<double> common_centres;  // V of H (d_c, K)
  Matrix<std::int32_t> labels;   // (sets, N)
  Matrix<double> weights;        // α (views and H, sets)
};

struct ViewMaps {
  BatchView<const double> specific_map, common_map, centres;
};

struct StateMaps {
  std::vector<ViewMaps> views;
  BatchView<const double> common_centres;
  MatrixView<const double> weights;  // (views and H, sets)
};

StateMaps maps_of(const SolverState& state);
StateMaps maps_of(const ReferenceState& state);
ViewMaps maps_of(const ReferenceView& view);

// Every member the host's matrix.
template <class T, class Backend>
Batch<T> replicated(Backend& backend, MatrixView<const T> host, std::int64_t members) {
  Batch<T> result(backend.pool(), members, host.rows, host.cols);
  for (std::int64_t s = 0; s < members; ++s) {
    copy_in<T>(backend, host.span(), result.member(s).span());
  }
  return result;
}

// Member s in host memory.
template <class T, class Backend>
Matrix<T> member_on_host(CpuContext& host, Backend& backend, const Batch<T>& batch,
                         std::int64_t s) {
  Matrix<T> result(host.pool(), batch.rows(), batch.cols());
  copy_out<T>(backend, batch.member(s).span(), result.span());
  return result;
}

}  // namespace m2st::cluster
