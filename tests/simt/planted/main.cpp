// planted NAME bug|twin, or planted all twins: runs a planted bug or corrected twins. Ends with 0
// when nothing was found and the result is right; what finds a bug ends the program in its own way.
#include <cstdio>
#include <string>

#include "tests/simt/planted/planted.h"

namespace m2st::simt::planted {

namespace {

std::vector<Planted> all_bugs() {
  std::vector<Planted> all;
  for (const auto& some :
       {barrier_bugs(), warp_bugs(), race_bugs(), memory_bugs(), host_bugs(), stream_bugs()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

int run(const Planted& planted, bool bug) {
  try {
    CudaContext context;
    const bool right = bug ? planted.bug(context) : planted.twin(context);
    context.synchronise();
    if (right) return 0;
    std::fprintf(stderr, "%s: wrong result\n", planted.name);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", planted.name, error.what());
  }
  return 1;
}

int run_named(const std::string& name, bool bug) {
  int status = 2;
  for (const Planted& planted : all_bugs()) {
    if (name != "all" && name != planted.name) continue;
    status = run(planted, bug);
    if (status != 0) return status;
  }
  return status;
}

}  // namespace

}  // namespace m2st::simt::planted

int main(int count, char** arguments) {
  if (count != 3) return 2;
  return m2st::simt::planted::run_named(arguments[1], std::string(arguments[2]) == "bug");
}
