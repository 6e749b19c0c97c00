#include "cluster/solver_state.h"

namespace m2st::cluster {

StateMaps maps_of(const SolverState& state) {
  StateMaps maps;
  for (const SolverView& view : state.views) {
    maps.views.push_back({view.specific_map.view(), view.common_map.view(), view.centres.view()});
  }
  maps.common_centres = state.common_centres.view();
  maps.weights = state.weights.view();
  return maps;
}

ViewMaps maps_of(const ReferenceView& view) {
  return {batch_of(view.specific_map.view()), batch_of(view.common_map.view()),
          batch_of(view.centres.view())};
}

StateMaps maps_of(const ReferenceState& state) {
  StateMaps maps;
  for (const ReferenceView& view : state.views) maps.views.push_back(maps_of(view));
  maps.common_centres = batch_of(state.common_centres.view());
  maps.weights = {state.weights.data(), static_cast<std::int64_t>(state.weights.size()), 1};
  return maps;
}

}  // namespace m2st::cluster
