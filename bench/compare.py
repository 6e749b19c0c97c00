#!/usr/bin/env python3
"""Compares two runs of a benchmark program: compare.py OLD.json NEW.json

The files are what --benchmark_out writes, with repetitions. A benchmark is slower when its median
has grown by more than --threshold and a rank test over the repetitions (Mann and Whitney 1947,
exact, one-sided) finds that this is not noise; Holm's procedure (1979) keeps the chance of even one
false alarm among all benchmarks at --alpha. Several files of a side may be given, joined by commas:
their repetitions count together, as those of interleaved runs should. Exit code 1 when something
is slower, 2 when there is nothing to compare.
"""
import argparse
import functools
import json
import statistics
import sys


def repetitions(paths):
    """Seconds of every repetition by benchmark name, in the order of the files."""
    to_seconds = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    times = {}
    for path in paths.split(","):
        with open(path, encoding="utf-8") as file:
            runs = json.load(file)["benchmarks"]
        for run in runs:
            if run.get("run_type", "iteration") == "iteration" and not run.get("error_occurred"):
                seconds = run["real_time"] * to_seconds[run["time_unit"]]
                times.setdefault(run.get("run_name", run["name"]), []).append(seconds)
    return times


@functools.lru_cache(maxsize=None)
def arrangements(first, second, statistic):
    """Ways to order two samples in which `statistic` pairs have the second's value first."""
    if statistic < 0:
        return 0
    if first == 0 or second == 0:
        return int(statistic == 0)
    return (arrangements(first - 1, second, statistic - second)
            + arrangements(first, second - 1, statistic))


def chance_of_slower(old, new):
    """The chance that equal programs would order their times at least so much in old's favour.

    Ties count as not slower, so the test is never too sure.
    """
    not_slower = sum(b <= a for a in old for b in new)
    ways = [arrangements(len(old), len(new), u) for u in range(len(old) * len(new) + 1)]
    return sum(ways[: not_slower + 1]) / sum(ways)


def holm(chances):
    """Chances adjusted for their number, in the order given."""
    order = sorted(range(len(chances)), key=lambda i: chances[i])
    adjusted, largest = [0.0] * len(chances), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, chances[i] * (len(chances) - place)))
        adjusted[i] = largest
    return adjusted


def compare(old, new, threshold, alpha):
    """(name, old median, new median, chance, verdict) of every benchmark that both have."""
    names = sorted(name for name in old if name in new)
    slower = holm([chance_of_slower(old[name], new[name]) for name in names])
    faster = holm([chance_of_slower(new[name], old[name]) for name in names])
    for name, chance_slower, chance_faster in zip(names, slower, faster):
        before, after = statistics.median(old[name]), statistics.median(new[name])
        verdict = ""
        if after > before * (1 + threshold) and chance_slower <= alpha:
            verdict = "SLOWER"
        elif after * (1 + threshold) < before and chance_faster <= alpha:
            verdict = "faster"
        yield name, before, after, min(chance_slower, chance_faster), verdict


def fewest_repetitions(benchmarks, alpha):
    """Repetitions a side without which no difference among so many benchmarks can be told."""
    count = 2
    while benchmarks / sum(arrangements(count, count, u) for u in range(count**2 + 1)) > alpha:
        count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD.json")
    parser.add_argument("new", metavar="NEW.json")
    parser.add_argument("--threshold", type=float, default=0.05,
                        help="growth of the median that matters (0.05)")
    parser.add_argument("--alpha", type=float, default=0.01,
                        help="chance of a false alarm in the whole comparison (0.01)")
    args = parser.parse_args()
    old, new = repetitions(args.old), repetitions(args.new)
    rows = list(compare(old, new, args.threshold, args.alpha))
    if not rows:
        print("compare: the files have no benchmark in common", file=sys.stderr)
        return 2
    width = max(len(row[0]) for row in rows)
    print(f"{'benchmark':{width}} {'old, s':>10} {'new, s':>10} {'new/old':>8} {'chance':>8}")
    for name, before, after, chance, verdict in rows:
        print(f"{name:{width}} {before:10.4g} {after:10.4g} {after / before:8.3f} {chance:8.2g} "
              f"{verdict}".rstrip())
    for name in sorted(set(old) ^ set(new)):
        print(f"{name}: only in {'OLD' if name in old else 'NEW'}")
    counts = [len(times[name]) for name, *_ in rows for times in (old, new)]
    needed = fewest_repetitions(len(rows), args.alpha)
    if min(counts) < needed:
        print(f"compare: {min(counts)} repetitions cannot tell {len(rows)} benchmarks apart at "
              f"{args.alpha}; {needed} a side can", file=sys.stderr)
    slower = sum(row[-1] == "SLOWER" for row in rows)
    print(f"compare: {slower} of {len(rows)} slower, "
          f"{sum(row[-1] == 'faster' for row in rows)} faster")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
