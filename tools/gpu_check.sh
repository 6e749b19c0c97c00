#!/bin/sh
# Everything there is to know about the CUDA backend on a machine with an NVIDIA GPU, by one command and
# without a network:
#   tools/gpu_check.sh [REPORT.json [DATA_FOLDER...]]
# builds for the GPU found, runs the device tests, compute-sanitizer where it is installed, the whole
# program on the CPU and on the GPU, simulated tissues for times, and packs what came out into REPORT
# (build/gpu/report.json). A DATA_FOLDER holds features.npy and coords.npy, and labels.txt if known.
# Ends with 0 when all that ran agreed, 1 otherwise; the report says what did not run and why.
set -eu
cd "$(dirname "$0")/.."
report=${1:-build/gpu/report.json}
[ $# -gt 0 ] && shift
build=build/gpu
logs=$build/logs

need() {
  command -v "$1" > /dev/null 2>&1 || { echo "gpu_check: $1 is missing: $2" >&2; exit 7; }
}
PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin
need nvidia-smi "this machine has no NVIDIA driver"
need nvcc "install the CUDA toolkit 13 or set CUDA_HOME"
need cmake "run tools/setup.sh"

architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d '. ')
echo "gpu_check: building for sm_$architecture" >&2
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DM2ST_CUDA=ON \
  -DCMAKE_CUDA_ARCHITECTURES="$architecture" > /dev/null
cmake --build "$build" --target m2st test_cuda test_kernels_cuda test_training_cuda \
  test_cluster_cuda
mkdir -p "$logs"

for test in test_cuda test_kernels_cuda test_training_cuda test_cluster_cuda; do
  echo "gpu_check: $test" >&2
  "$build/tests/$test" --gtest_brief=1 --gtest_output="json:$logs/$test.json" \
    > "$logs/$test.log" 2>&1 || echo "gpu_check: $test failed, see $logs/$test.log" >&2
done

# Small matrices are enough for the sanitizer, and it is some fifty times slower.
if command -v compute-sanitizer > /dev/null 2>&1; then
  for tool in memcheck racecheck initcheck synccheck; do
    echo "gpu_check: compute-sanitizer $tool" >&2
    if compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/tests/test_training_cuda" \
      --gtest_brief=1 --gtest_filter='*Variant*' > "$logs/$tool.log" 2>&1; then
      echo passed > "$logs/$tool.result"
    else
      echo failed > "$logs/$tool.result"
    fi
  done
fi

exec python3 tools/gpu_report.py "$build" "$report" "$@"
