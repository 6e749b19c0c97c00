// Folders that one stage wrote, given to the next in place of single files.
#pragma once

#include "apps/pipeline/options.h"

namespace m2st::apps {

// INPUT that is the folder of `prepare`: its features, positions, sections, labels and graph, where
// none was given. Embeddings that are folders of `embed` or `run`: their scales, in order. Exit
// code 3 when such a folder holds none.
InputFiles files_of_stages(const InputFiles& given);

}  // namespace m2st::apps
