// Naive Adam and AdamW as the papers write them: moments corrected first, then the step.
#pragma once

#include <cmath>
#include <vector>

namespace m2st::reference {

struct AdamState {
  std::vector<double> first;
  std::vector<double> second;
  std::vector<double> parameters;
};

struct AdamSettings {
  double learning_rate;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  bool decoupled;
};

inline void adam_step(const AdamSettings& with, int step, const std::vector<double>& gradient,
                      AdamState& state) {
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    double& theta = state.parameters[i];
    double g = gradient[i];
    if (!with.decoupled) g += with.weight_decay * theta;
    state.first[i] = with.beta1 * state.first[i] + (1 - with.beta1) * g;
    state.second[i] = with.beta2 * state.second[i] + (1 - with.beta2) * g * g;
    const double first = state.first[i] / (1 - std::pow(with.beta1, step));
    const double second = state.second[i] / (1 - std::pow(with.beta2, step));
    if (with.decoupled) theta -= with.learning_rate * with.weight_decay * theta;
    theta -= with.learning_rate * first / (std::sqrt(second) + with.epsilon);
  }
}

}  // namespace m2st::reference
