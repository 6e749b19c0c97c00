// Options as text, one `name = value` a line, in a fixed order: what checkpoints keep and compare.
#pragma once

#include <string>

#include "model/config.h"

namespace m2st::model {

struct Options {
  AutoencoderConfig autoencoder;
  TrainConfig train;
};

// Numbers are written so that they read back to the same bits.
std::string options_text(const Options& options);
// Exit code 10 when a line is unknown, missing or not a value.
Options parse_options(const std::string& text);

// The first option in which a resumed run would compute something else than the one that wrote the
// checkpoint, as "name: a there, b here"; empty when there is none. How long to train, when to stop
// and how often to write may change.
std::string first_difference(const Options& there, const Options& here);

}  // namespace m2st::model
