// Checkpoints: everything that training needs to go on as if it had never stopped, in one file that
// is whole or absent. Layout: magic, version, length and xxh3-128 of the payload, payload; all
// numbers little-endian. The payload: options as text, data hash, width, epoch, losses, then the
// flat blocks of values and both moments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/config_text.h"

namespace m2st::model {

struct Checkpoint {
  Options options;
  std::string data_hash;
  std::int64_t width = 0;  // columns of the features
  std::int64_t epoch = 0;  // epochs that are done
  std::vector<double> losses;
  std::vector<double> losses_per_scale;
  std::vector<float> values;  // flat blocks, in the layout of the options and the width
  std::vector<float> first_moments;
  std::vector<float> second_moments;
};

// Exit code 8 when it cannot be written; an older checkpoint is then still there.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

// Exit code 10 when the file is missing, truncated, damaged, of another version or contradicts
// itself.
Checkpoint read_checkpoint(const std::string& path);

}  // namespace m2st::model
