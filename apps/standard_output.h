// Data for whoever reads stdout; nothing else ever goes there.
#pragma once

#include <string_view>

namespace m2st::apps {

// Exit code 8 when it cannot be written whole.
void write_standard_output(std::string_view text);

}  // namespace m2st::apps
