#include "data/simulate/distributions.h"

#include <cmath>

namespace m2st::data {

namespace {

// Below this rate counting up is cheaper than the rejection, which is only valid from 10 on.
constexpr double kLargestCountedRate = 10;

// ln k!: by sums where Stirling's series is short of digits. std::lgamma writes a global.
double log_factorial(double k) {
  if (k < 10) {
    double sum = 0;
    for (double i = 2; i <= k; ++i) sum += std::log(i);
    return sum;
  }
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  const double n = k + 1, inverse = 1 / n, square = inverse * inverse;
  const double series = inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260)));
  return (n - 0.5) * std::log(n) - n + kHalfLogTwoPi + series;
}

double poisson_by_counting(Draws& draws, double rate) {
  double probability = std::exp(-rate);
  double left = draws.uniform();
  double k = 0;
  // The bound is never met but for rounding: beyond it the probability is below 1e-60.
  while (left > probability && k < 120) {
    left -= probability;
    probability *= rate / ++k;
  }
  return k;
}

// Hörmann, "The transformed rejection method for generating Poisson random variables", Insurance:
// Mathematics and Economics 12 (1993), algorithm PTRS.
double poisson_by_rejection(Draws& draws, double rate) {
  const double b = 0.931 + 2.53 * std::sqrt(rate);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double squeeze = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = draws.uniform() - 0.5;
    const double v = draws.uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= squeeze) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const double accept = std::log(v * inverse_alpha / (a / (us * us) + b));
    if (accept <= k * std::log(rate) - rate - log_factorial(k)) return k;
  }
}

}  // namespace

// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
double draw_gamma(Draws& draws, double shape) {
  if (shape < 1) {
    const double boost = std::pow(draws.uniform(), 1 / shape);
    return boost * draw_gamma(draws, shape + 1);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = draws.uniform();
    const double square = x * x;
    if (u < 1 - 0.0331 * square * square) return d * v;
    if (std::log(u) < 0.5 * square + d * (1 - v + std::log(v))) return d * v;
  }
}

double draw_poisson(Draws& draws, double rate) {
  if (rate <= 0) return 0;
  return rate < kLargestCountedRate ? poisson_by_counting(draws, rate)
                                    : poisson_by_rejection(draws, rate);
}

double draw_negative_binomial(Draws& draws, double mean, double dispersion) {
  if (std::isinf(dispersion)) return draw_poisson(draws, mean);
  return draw_poisson(draws, draw_gamma(draws, dispersion) * mean / dispersion);
}

}  // namespace m2st::data
