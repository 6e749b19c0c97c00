// Random variates from counter-based words: a Draws is the endless sequence that belongs to one
// (seed, purpose, epoch, id), so rejection may use as many words as it likes and no other sequence
// is moved by it.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "engine/random.h"

namespace m2st::data {

class Draws {
 public:
  Draws(RandomKey key, std::uint32_t id) : key_(key), id_(id) {}

  // Uniform in the open interval (0, 1).
  double uniform() {
    if (used_ == 4) {
      words_ = random_block(key_, id_, block_++);
      used_ = 0;
    }
    return (words_.word[used_++] + 0.5) * 0x1.0p-32;
  }
  // Standard normal by Box and Muller, whose second value is kept for the next call.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  RandomKey key_;
  std::uint32_t id_;
  std::uint32_t block_ = 0;
  int used_ = 4;
  PhiloxBlock words_{};
  double spare_ = 0;
  bool has_spare_ = false;
};

// Gamma with unit scale: mean and variance are `shape` > 0.
double draw_gamma(Draws& draws, double shape);

// Poisson with mean `rate` >= 0.
double draw_poisson(Draws& draws, double rate);

// Negative binomial with variance mean + mean² / dispersion: a Poisson whose rate is a gamma.
// An infinite dispersion gives the Poisson itself.
double draw_negative_binomial(Draws& draws, double mean, double dispersion);

}  // namespace m2st::data
