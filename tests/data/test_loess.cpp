// Local regression against scikit-misc 0.5.3 (netlib dloess) where it has an answer, and by what
// must hold where it has none.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "data/prep/loess.h"

namespace m2st {
namespace {

// Both solve the same 3-column least squares problems in double, by other decompositions.
constexpr double kTolerance = 1e-12;

const std::vector<double> kX = {0,   0.5, 0.5, 1,    1.5, 1.5, 1.5, 2,   2.25, 3,    3.5, 4,
                                4.5, 4.5, 5,   5.75, 6,   6.5, 7,   7.5, 8,    8.25, 9,   10};

std::vector<double> waves() {
  std::vector<double> y;
  for (std::size_t i = 0; i < kX.size(); ++i) {
    y.push_back(std::sin(kX[i]) + 0.1 * static_cast<double>(i * 7 % 5));
  }
  return y;
}

void expect_fit(double span, const std::vector<double>& expected) {
  CpuContext context(2);
  const std::vector<double> actual = data::loess(context, kX, waves(), span);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], kTolerance) << i;
  }
}

TEST(Loess, MatchesNetlibOnTiedPoints) {
  expect_fit(
      0.5, {0.091120565438301,    0.6737539153526879,  0.6737539153526879,   1.0399218948948337,
            1.1864881690878042,   1.1864881690878042,  1.1864881690878042,   1.111329667796191,
            1.00494373585994,     0.3085790047042607,  -0.15972795024878936, -0.5426406539828392,
            -0.7386824071864874,  -0.7386824071864874, -0.7006507998360743,  -0.23587652553763516,
            -0.05256509827209219, 0.37987635178075474, 0.7736299241039301,   1.0675756806529102,
            1.130507275375105,    1.0887542912822676,  0.7093067858609127,   -0.4050389673315593});
}

TEST(Loess, MatchesNetlibWithAWideSpan) {
  expect_fit(0.8,
             {0.5066296356836267,   0.7466039333162109,  0.7466039333162109,  0.8687175735269447,
              0.8844370359875252,   0.8844370359875252,  0.8844370359875252,  0.7795994991506306,
              0.6781205994614115,   0.32257732340838174, -0.099404992769619,  -0.4864820130205654,
              -0.5751803850896601,  -0.5751803850896601, -0.5601946629025557, -0.17003421218244336,
              0.013200660849545888, 0.2834021024697897,  0.44466681038921035, 0.590531404145397,
              0.6561289160768357,   0.6500076804855042,  0.5352869072289946,  0.15818176098361844});
}

TEST(Loess, AParabolaIsItsOwnFitInAnyOrder) {
  CpuContext context(1);
  std::vector<double> x, y;
  for (int i = 0; i < 100; ++i) {
    x.push_back(i * 37 % 100 / 10.0);
    y.push_back(2 - x.back() + 0.5 * x.back() * x.back());
  }

  const std::vector<double> fitted = data::loess(context, x, y, 0.3);

  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(fitted[i], y[i], 1e-11);
}

TEST(Loess, PointsTooAlikeForAParabolaStillHaveAFit) {
  CpuContext context(1);
  const std::vector<double> same(20, 1.5), one = {3};
  std::vector<double> two_places(20, 0.0), y(20, 4.0);
  for (std::size_t i = 10; i < 20; ++i) two_places[i] = 1;

  EXPECT_TRUE(data::loess(context, {}, {}, 0.3).empty());
  EXPECT_NEAR(data::loess(context, one, one, 0.3)[0], 3, kTolerance);
  for (const double fit : data::loess(context, same, y, 0.3)) EXPECT_NEAR(fit, 4, 1e-9);
  for (const double fit : data::loess(context, two_places, y, 0.3)) EXPECT_NEAR(fit, 4, 1e-9);
}

}  // namespace
}  // namespace m2st
