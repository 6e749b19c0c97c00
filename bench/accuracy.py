#!/usr/bin/env python3
"""ARI of the program's domains on labelled sets: mean and deviation over seeds, one line a set.

accuracy.py DATA [--sets NAME ...] [--seeds 0 1 2 3 4] [--program build/cpu/m2st] [-- OPTIONS OF m2st run]

DATA holds one folder a set with features.npy (or counts in X.npz), coords.npy and labels.txt; K is the number of distinct
labels. Nothing but -k is set from the labels. Prints a Markdown table, then one JSON object.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

UNLABELLED = {"", "na", "nan", "none", "null"}


def run(program, folder, domains, seed, options, out):
    features = folder / "features.npy"
    source = ["--features", features] if features.exists() else [folder / "X.npz"]
    command = [program, "run", *source, "--coords",
               folder / "coords.npy", "--labels", folder / "labels.txt", "-k", domains,
               "--seed", seed, "-o", out, "--force", "--progress", "none", "-q", *options]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{folder.name}, seed {seed}: exit {done.returncode}\n{done.stderr}")
    manifest = json.loads((pathlib.Path(out) / "manifest.json").read_text())
    return (manifest["metrics"]["ari"], sum(s["wall_seconds"] for s in manifest["stages"]),
            max(s["peak_resident_bytes"] for s in manifest["stages"]))


def main():
    own, options = sys.argv[1:], []
    if "--" in own:
        options = own[own.index("--") + 1:]
        own = own[:own.index("--")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--program", default="build/cpu/m2st")
    args = parser.parse_args(own)
    names = args.sets or sorted(folder.name for folder in args.data.iterdir()
                                if ((folder / "features.npy").exists()
                                    or (folder / "X.npz").exists()) and (folder / "labels.txt").exists())
    results = {}
    print("| set | K | mean ARI | SD | each seed | seconds | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for name in names:
        folder = args.data / name
        labels = [line.strip() for line in (folder / "labels.txt").read_text().splitlines()]
        domains = len({label for label in labels if label.lower() not in UNLABELLED})
        with tempfile.TemporaryDirectory() as out:
            rows = [run(args.program, folder, domains, seed, options, out) for seed in args.seeds]
        scores, seconds, peaks = zip(*rows)
        results[name] = dict(zip(map(str, args.seeds), scores))
        spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
        print(f"| {name} | {domains} | {statistics.mean(scores):.4f} | {spread:.4f} | "
              f"{' '.join(f'{score:.3f}' for score in scores)} | "
              f"{statistics.median(seconds):.1f} | {max(peaks) / 1e6:.0f} |", flush=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
