#!/bin/sh
# Runs every fuzz target of a folder side by side, from the committed seeds: run.sh FOLDER SECONDS.
# Inputs come in the same order every time; the longer it runs, the further it gets.
# What a target finds stays in FOLDER as crash-TARGET-HASH, to be run again with the target.
set -eu
folder=$1
seconds=$2
seeds=$(dirname "$0")/corpus
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pids=""
for target in npy table market gem toml; do
  mkdir "$work/$target"
  "$folder/fuzz_$target" "$work/$target" "$seeds/$target" -max_total_time="$seconds" -timeout=10 \
    -max_len=4096 -seed=1 -rss_limit_mb=2048 -artifact_prefix="$folder/crash-$target-" \
    -print_final_stats=1 >"$work/$target.log" 2>&1 &
  pids="$pids $target:$!"
done

failed=0
for entry in $pids; do
  target=${entry%%:*}
  if wait "${entry##*:}"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")
    echo "fuzz_$target: $runs inputs, nothing found"
  else
    failed=1
    echo "fuzz_$target: failed"
    tail -n 60 "$work/$target.log"
  fi
done
exit $failed
