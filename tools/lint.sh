#!/bin/sh
# clang-tidy over every .cpp with the naming rules on; needs the cpu preset to be configured.
set -eu
cd "$(dirname "$0")/.."
command -v clang-tidy >/dev/null || { echo "lint: clang-tidy is not installed (Debian: clang-tidy)" >&2; exit 1; }
[ -f build/cpu/compile_commands.json ] || cmake --preset cpu >/dev/null
find engine kernels data autograd cluster model apps -name '*.cpp' -print0 |
  xargs -0 -n 1 -P 2 clang-tidy -p build/cpu --quiet
