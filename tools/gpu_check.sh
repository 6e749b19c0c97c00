#!/bin/sh
# Everything there is to know about the CUDA backend on a machine with an NVIDIA GPU, by one command and
# without a network:
#   tools/gpu_check.sh [REPORT.json [DATA_FOLDER...]]
# builds for the GPU found, runs the device tests, compute-sanitizer where it is installed, the whole
# program on the CPU and on the GPU, simulated tissues for times, the benchmarks' lines on the device, and
# packs what came out into REPORT (build/gpu/report.json). In a folder that tools/gpu_bundle.sh made
# nothing is built: a driver and python3 are all it needs there, and the bundle's data are compared too.
# A DATA_FOLDER holds features.npy and coords.npy, and labels.txt if known. Both are named from the root of
# the tree or the bundle. Ends with 0 when all that ran agreed, 1 otherwise (the report says what did not
# run and why), 7 with one line when there is nothing to run on. MOST_SECONDS in the environment is what one
# program may take.
set -eu
cd "$(dirname "$0")/.."
. tools/gpu_programs.sh
report=${1:-build/gpu/report.json}
[ $# -gt 0 ] && shift
build=build/gpu
logs=$build/logs
# Of one program: a device that hangs must not take the report along.
export MOST_SECONDS="${MOST_SECONDS:-1800}"

need() {
  command -v "$1" > /dev/null 2>&1 || { echo "gpu_check: $1 is missing: $2" >&2; exit 7; }
}
PATH=$PATH:${CUDA_HOME:-/usr/local/cuda}/bin:/usr/local/nvidia/bin
need python3 "install it"

build_programs() {
  need nvidia-smi "this machine has no NVIDIA driver"
  need nvcc "install the CUDA toolkit 13, set CUDA_HOME, or make a bundle elsewhere: tools/gpu_bundle.sh"
  need cmake "run tools/setup.sh"
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d '. ')
  case $architecture in
    '' | *[!0-9]*) echo "gpu_check: nvidia-smi finds no GPU" >&2; exit 7 ;;
  esac
  echo "gpu_check: building for sm_$architecture" >&2
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DM2ST_CUDA=ON -DM2ST_BENCH=ON \
    -DCMAKE_CUDA_ARCHITECTURES="$architecture" > /dev/null
  # shellcheck disable=SC2046,SC2086
  cmake --build "$build" --target $(basename -a $gpu_programs)
}

# command...: ended where it takes too long
within_time() {
  timeout -k 10 "$MOST_SECONDS" "$@" && return
  code=$?
  [ "$code" -ne 124 ] || echo "no end within $MOST_SECONDS seconds" >&2
  return "$code"
}

# Whether the device can be used at all, in the program's own words.
try_device() {
  "$build/m2st" simulate -n 100 -k 3 --seed 1 -o "$build/runs/trial" --force > "$logs/trial.log" 2>&1 &&
    within_time "$build/m2st" run --features "$build/runs/trial/features.npy" --coords \
      "$build/runs/trial/coords.npy" -k 3 --epochs 1 --device cuda --progress none --force \
      -o "$build/runs/trial/cuda" >> "$logs/trial.log" 2>&1 && return
  echo "gpu_check: no run on a GPU here: $(tail -n 1 "$logs/trial.log")" >&2
  exit 7
}

# name, command...: what it printed and whether it passed, for the report
step() {
  name=$1
  shift
  echo "gpu_check: $name" >&2
  if within_time "$@" > "$logs/$name.log" 2>&1; then
    echo passed > "$logs/$name.result"
  else
    echo failed > "$logs/$name.result"
    echo "gpu_check: $name failed, see $logs/$name.log" >&2
  fi
}

if [ -f bundle.json ]; then
  if [ $# -eq 0 ] && [ -d shared/data/starmap_m2st ]; then set -- shared/data/starmap_m2st; fi
else
  build_programs
fi
rm -rf "$logs"
mkdir -p "$logs"
try_device

for test in $gpu_tests; do
  name=$(basename "$test")
  step "$name" "$build/$test" --gtest_brief=1 --gtest_output="json:$logs/$name.json"
done

# Small matrices are enough for the sanitizer, and it is some fifty times slower.
if command -v compute-sanitizer > /dev/null 2>&1; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer_$tool" compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$build/tests/test_training_cuda" --gtest_brief=1 --gtest_filter='*Variant*'
    # Behind some virtual machines it can do nothing, which says nothing of the kernels.
    if grep -q 'Device not supported' "$logs/sanitizer_$tool.log"; then
      echo "refused the device" > "$logs/sanitizer_$tool.result"
    fi
  done
fi

for benchmark in $gpu_benchmarks; do
  name=$(basename "$benchmark")
  step "$name" "$build/$benchmark" --benchmark_filter=_cuda --benchmark_out="$logs/$name.json"
done

exec python3 tools/gpu_report.py "$build" "$report" "$@"
