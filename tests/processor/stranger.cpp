// A program built for a processor that nobody here has: its main must not be reached.
#include "apps/built_for.h"

namespace m2st::apps {

const BuiltFor kBuiltFor = {.avx5124vnniw = true};

}  // namespace m2st::apps

int main() { return 0; }
