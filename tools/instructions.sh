#!/bin/sh
# Instructions that one call of each hot kernel takes, counted by callgrind on one thread: no noise,
# so growth of a tenth of a percent is real. instructions.sh > NOW prints "kernel instructions";
# with an earlier output, instructions.sh BEFORE, also the ratio, and exit code 1 when one grew by
# more than a percent. Built for x86-64-v3: valgrind knows no AVX-512. A companion to times, not a
# stand-in: it sees neither caches nor stalls.
set -eu
cd "$(dirname "$0")/.."
before=${1:-/dev/null}
command -v valgrind >/dev/null || { echo "instructions: valgrind is not installed" >&2; exit 1; }
folder=build/instructions
cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DM2ST_ARCH=x86-64-v3 \
  -DM2ST_TESTS=OFF -DM2ST_BENCH=ON >/dev/null
cmake --build "$folder" -j "$(nproc)" --target bench_kernels >/dev/null

# The pattern names the kernel itself, not the lambdas inside it: these end in "const", and entering
# one would switch counting off again. A repetition this short makes one iteration.
count() { # RETURN_TYPE KERNEL BENCHMARK
  M2ST_NO_CEILINGS=1 taskset -c 0 valgrind --tool=callgrind --collect-atstart=no \
    --toggle-collect="$1 m2st::kernels::$2<*)" --callgrind-out-file="$folder/callgrind.out" \
    "$folder/bench/bench_kernels" --benchmark_filter="^$3/real_time\$" \
    --benchmark_repetitions=1 --benchmark_min_time=1e-9 >"$folder/valgrind.log" 2>&1
  total=$(sed -n 's/^totals: //p' "$folder/callgrind.out")
  echo "$3 ${total:-0}"
}

{
  layer=nodes:3798/degree:7/heads:4/width:64/dropout:10
  count void gat_attention "gat_attention/$layer"
  count void gat_attention_backward "gat_attention_backward/$layer"
  count void node_scores "node_scores/$layer"
  count void node_scores_backward "node_scores_backward/$layer"
  count void gemm gemm_project/nodes:3798/inputs:128/outputs:128
  count void gemm gemm_weight_gradient/nodes:3798/inputs:128/outputs:128
  count void dropout dropout/nodes:3798/columns:256
  count void prelu_backward prelu_backward/nodes:3798/columns:256
  count double scaled_cosine_loss scaled_cosine_loss/nodes:3798/columns:256
  count void scaled_cosine_loss_backward scaled_cosine_loss_backward/nodes:3798/columns:256
  count void adam_step adam_step/nodes:3798/columns:256
  count void assign_nearest assign_nearest/cells:3798/width:20/clusters:20
} | awk -v before="$before" '
  BEGIN { while ((getline line < before) > 0) { split(line, part, " "); old[part[1]] = part[2] } }
  $2 == 0 { print "instructions: nothing counted for " $1 > "/dev/stderr"; failed = 1; next }
  $1 in old { grown = $2 / old[$1]; worse = worse || grown > 1.01; print $0, grown; next }
  { print }
  END { exit failed ? 2 : worse }'
