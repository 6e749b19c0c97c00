// Options as text, one `name = value` a line, in a fixed order: what checkpoints keep and compare.
#pragma once

#include <string>

#include "model/config.h"

namespace m2st::model {

// What the numbers of a training were computed by. Not an option of the model, but part of what its
// bytes depend on. kUnknown: a checkpoint of before it was kept.
enum class Arithmetic { kUnknown, kCpu, kCuda, kCublasLt };
const char* to_string(Arithmetic arithmetic);

struct Options {
  AutoencoderConfig autoencoder;
  TrainConfig train;
  Arithmetic arithmetic = Arithmetic::kUnknown;
};

// Numbers are written so that they read back to the same bits.
std::string options_text(const Options& options);
// Exit code 10 when a line is unknown, missing or not a value.
Options parse_options(const std::string& text);

// The first option in which a resumed run would compute something else than the one that wrote the
// checkpoint, as "name: a there, b here"; empty when there is none. How long to train, when to stop
// and how often to write may change; the arithmetic is the caller's to compare.
std::string first_difference(const Options& there, const Options& here);
// The same among the options that `given` has otherwise than the defaults, seed aside.
std::string first_contradiction(const Options& there, const Options& given);

}  // namespace m2st::model
