// Random variates have the moments and the probabilities they claim. Every bound is five standard
// errors of what is estimated, so a correct sampler fails once in a million seeds; seeds are fixed.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "data/simulate/distributions.h"

namespace m2st::data {
namespace {

constexpr std::uint32_t kDraws = 200000;
constexpr double kErrors = 5;

struct Moments {
  double mean = 0, variance = 0;
  double mean_error = 0, variance_error = 0;  // standard errors, from the sample
};

Moments moments_of(std::uint32_t stream, const std::function<double(Draws&)>& draw) {
  std::vector<double> x;
  const RandomKey key{1, stream_of(Purpose::kTest, stream), 0};
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    Draws draws(key, i);
    x.push_back(draw(draws));
  }
  Moments m;
  for (const double value : x) m.mean += value / kDraws;
  double fourth = 0;
  for (const double value : x) {
    const double square = (value - m.mean) * (value - m.mean);
    m.variance += square / kDraws;
    fourth += square * square / kDraws;
  }
  m.mean_error = std::sqrt(m.variance / kDraws);
  m.variance_error = std::sqrt((fourth - m.variance * m.variance) / kDraws);
  return m;
}

void expect_moments(const Moments& got, double mean, double variance) {
  EXPECT_NEAR(got.mean, mean, kErrors * got.mean_error);
  EXPECT_NEAR(got.variance, variance, kErrors * got.variance_error);
}

TEST(Distributions, UniformAndNormal) {
  expect_moments(moments_of(0, [](Draws& d) { return d.uniform(); }), 0.5, 1.0 / 12);
  expect_moments(moments_of(1, [](Draws& d) { return d.normal(); }), 0, 1);
  expect_moments(moments_of(2,
                            [](Draws& d) {
                              const double first = d.normal();
                              return first + d.normal();
                            }),
                 0, 2);
}

TEST(Distributions, GammaHasEqualMeanAndVariance) {
  for (const double shape : {0.2, 1.0, 2.0, 30.0}) {
    SCOPED_TRACE(shape);
    expect_moments(moments_of(3, [&](Draws& d) { return draw_gamma(d, shape); }), shape, shape);
  }
}

TEST(Distributions, PoissonHasEqualMeanAndVariance) {
  for (const double rate : {0.01, 1.0, 9.99, 10.0, 47.0, 3000.0}) {
    SCOPED_TRACE(rate);
    expect_moments(moments_of(4, [&](Draws& d) { return draw_poisson(d, rate); }), rate, rate);
  }
}

TEST(Distributions, PoissonHasItsProbabilities) {
  for (const double rate : {3.0, 12.0}) {
    std::vector<int> seen(60, 0);
    const RandomKey key{2, stream_of(Purpose::kTest, 5), 0};
    for (std::uint32_t i = 0; i < kDraws; ++i) {
      Draws draws(key, i);
      ++seen[static_cast<std::size_t>(draw_poisson(draws, rate))];
    }
    double probability = std::exp(-rate);
    for (int k = 0; k < 30; ++k) {
      const double error = std::sqrt(kDraws * probability * (1 - probability));
      EXPECT_NEAR(seen[k], kDraws * probability, kErrors * error + 1) << rate << ", " << k;
      probability *= rate / (k + 1);
    }
  }
}

TEST(Distributions, NegativeBinomialIsWiderThanPoisson) {
  const double none = std::numeric_limits<double>::infinity();
  for (const double mean : {0.5, 6.0, 200.0}) {
    for (const double dispersion : {0.5, 2.0, 50.0, none}) {
      SCOPED_TRACE(testing::Message() << mean << ", " << dispersion);
      expect_moments(
          moments_of(6, [&](Draws& d) { return draw_negative_binomial(d, mean, dispersion); }),
          mean, mean + mean * mean / dispersion);
    }
  }
  Draws draws({3, 0, 0}, 0);
  EXPECT_EQ(draw_negative_binomial(draws, 0, 2), 0);
}

}  // namespace
}  // namespace m2st::data
