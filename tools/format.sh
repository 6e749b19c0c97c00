#!/bin/sh
# Formats every source file, or with --check says which ones are not formatted (exit 1).
set -eu
cd "$(dirname "$0")/.."
files=$(find engine kernels data autograd cluster model apps tests bench -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')
if [ "${1:-}" = "--check" ]; then
  # shellcheck disable=SC2086
  exec clang-format --dry-run -Werror $files
fi
# shellcheck disable=SC2086
exec clang-format -i $files
