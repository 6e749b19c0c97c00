#!/usr/bin/env python3
"""The whole program, start to finish as a process: time and peak memory by stage.

    bench/bench_pipeline.py --program build/cpu/m2st [-- OPTIONS OF m2st run]

Runs `m2st run` on every set some times, the sets in turn, and reads the stages' costs from the
manifests. "process" is the wall time and the peak memory of the process as its parent sees it (the
latter never below that of this script); "start-up" is `m2st --version`. Prints medians with the
range; --json keeps every figure, in the form that bench/compare.py reads. Inputs are the real sets
of --data where they are, else simulated ones of the same sizes; the first run of a set reads its
files from wherever they are, the others from the page cache.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
# name: (folder of the real set, cells, features, domains, epochs)
SETS = {
    "starmap": ("starmap_m2st", 1207, 300, 7, 200),
    "breast": ("breast_m2st", 3798, 200, 20, 200),
    "slideseq": (None, 41786, 200, 14, 200),
    "million": (None, 1000000, 50, 14, 3),
}
HIDDEN = {"million": 64}
START_UPS = 20


def process(command, threads=None):
    """Wall seconds and peak resident bytes of a command; its failure ends this one."""
    command = [str(part) for part in command]
    if threads is not None:
        command += ["-t", str(threads)]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"pipeline: {' '.join(command)} failed:\n{message.decode()}")
    return seconds, usage.ru_maxrss * 1024


def inputs(name, args, folder):
    real, cells, width, _, _ = SETS[name]
    if real and (args.data / real / "features.npy").exists():
        return args.data / real
    process([args.program, "simulate", "-n", cells, "--components", width, "-o", folder / name])
    return folder / name


def run_once(name, data, args, folder):
    """Costs by stage: {stage: (seconds, peak bytes)}."""
    _, _, _, domains, epochs = SETS[name]
    out = folder / "out"
    command = [args.program, "run", "--features", data / "features.npy", "--coords",
               data / "coords.npy", "-k", domains, "--epochs", args.epochs or epochs, "--hidden",
               HIDDEN.get(name, 256), "-o", out, "--force", "--progress", "none", *args.options]
    costs = {"process": process(command, args.threads)}
    manifest = json.loads((out / "manifest.json").read_text())
    for stage in manifest["stages"]:
        costs[stage["stage"]] = (stage["wall_seconds"], stage["peak_resident_bytes"])
    return costs


def measure(args, folder):
    data = {name: inputs(name, args, folder) for name in args.sets}
    rounds = {name: [] for name in args.sets}
    for _ in range(args.rounds):
        for name in args.sets:
            rounds[name].append(run_once(name, data[name], args, folder))
    figures = {}
    for name in args.sets:
        for stage in rounds[name][0]:
            figures[f"{name}/{stage}"] = [costs[stage] for costs in rounds[name]]
    figures["start-up"] = [process([args.program, "--version"]) for _ in range(START_UPS)]
    return figures


def table(figures):
    yield "| set/stage | median, s | range, s | peak, MB |"
    yield "| --- | --- | --- | --- |"
    for name, costs in figures.items():
        seconds = [cost[0] for cost in costs]
        yield (f"| {name} | {statistics.median(seconds):.4g} | {min(seconds):.4g}–"
               f"{max(seconds):.4g} | {max(cost[1] for cost in costs) / 1e6:.0f} |")


def as_benchmarks(figures, context):
    runs = [dict(name=name, run_name=name, run_type="iteration", real_time=seconds, time_unit="s",
                 peak_bytes=peak) for name, costs in figures.items() for seconds, peak in costs]
    return json.dumps(dict(context=context, benchmarks=runs), indent=1) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=HERE.parent / "build/cpu/m2st")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["starmap", "breast"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="instead of the set's own number")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=pathlib.Path)
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    args = parser.parse_args(given[:end])
    args.options = given[end + 1:]
    context = dict(threads=args.threads, options=args.options, load_before=os.getloadavg()[0])
    with tempfile.TemporaryDirectory(prefix="m2st_pipeline_") as folder:
        figures = measure(args, pathlib.Path(folder))
    context["load_after"] = os.getloadavg()[0]
    print(f"{args.threads} threads, load {context['load_before']:.2f} before and "
          f"{context['load_after']:.2f} after")
    print("\n".join(table(figures)))
    if args.json:
        args.json.write_text(as_benchmarks(figures, context))
    return 0


if __name__ == "__main__":
    sys.exit(main())
