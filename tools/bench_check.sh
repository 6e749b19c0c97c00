#!/bin/sh
# Is NEW slower than OLD? bench_check.sh OLD [NEW], revisions; NEW is HEAD when not given. Both are
# built in worktrees under build/bench-check and run in turn, round by round, the order turning, so
# that a noisy minute meets both. Exit code: that of bench/compare.py of the last program that found
# something (1: slower). Uncommitted changes take no part.
set -eu
cd "$(dirname "$0")/.."
old=${1:?bench_check: give the revision to compare with, as in make bench-check REV=main~5}
new=${2:-HEAD}
rounds=${ROUNDS:-3}
programs=${PROGRAMS:-bench_kernels bench_epoch}
filter=${FILTER:-.}
folder=$PWD/build/bench-check
mkdir -p "$folder"

build() { # SIDE REVISION
  tree=$folder/$1
  if [ -e "$tree/.git" ]; then
    git -C "$tree" checkout -q --detach "$(git rev-parse "$2")"
  else
    git worktree prune
    git worktree add -q --detach "$tree" "$2"
  fi
  (cd "$tree" && cmake --preset bench >/dev/null &&
    # shellcheck disable=SC2086
    cmake --build build/bench -j "$(nproc)" --target $programs >/dev/null)
  echo "bench-check: $1 is $(git -C "$tree" log -1 --format='%h %s')" >&2
}

measure() { # PROGRAM SIDE ROUND
  "$folder/$2/build/bench/bench/$1" --benchmark_filter="$filter" --benchmark_repetitions=5 \
    --benchmark_min_time=0.05 --benchmark_enable_random_interleaving=true \
    --benchmark_out="$folder/$1.$2.$3.json" --benchmark_out_format=json >/dev/null 2>&1
}

build old "$old"
build new "$new"
status=0
for program in $programs; do
  old_files=""
  new_files=""
  round=1
  while [ "$round" -le "$rounds" ]; do
    if [ $((round % 2)) -eq 1 ]; then sides="old new"; else sides="new old"; fi
    for side in $sides; do measure "$program" "$side" "$round"; done
    old_files=$old_files${old_files:+,}$folder/$program.old.$round.json
    new_files=$new_files${new_files:+,}$folder/$program.new.$round.json
    round=$((round + 1))
  done
  echo "$program: $old against $new, $rounds rounds"
  python3 bench/compare.py "$old_files" "$new_files" || status=$?
done
exit "$status"
