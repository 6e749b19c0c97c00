#!/usr/bin/env python3
"""Which lines of kernels/cuda the tests execute, under the host executor; no GPU is needed.

cuda_coverage.py [--build build/cpu] [--least PERCENT] [--lines]

Builds the executor's test programs once more with gcov's counters, runs them, and prints each file's share, the
whole's, and how many kernels were launched, every instantiation for itself. --lines lists what was never reached;
--least fails below a share, or with a kernel that was never launched.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = "kernels/cuda/"
KERNEL = re.compile(r"(?<=::)\w+_kernel\b(?:<.*>(?=\())?")


def programs(build):
    listed = subprocess.run(["cmake", "--build", build, "--target", "help"], text=True, check=True,
                            capture_output=True).stdout
    names = {word.rstrip(":") for word in listed.split()}
    return sorted(name for name in names if name.startswith("test_") and name.endswith("_coverage"))


def execute(build, names):
    for counters in build.rglob("*_coverage.dir/**/*.gcda"):
        counters.unlink()
    subprocess.run(["cmake", "--build", build, "-j2", "--target", *names], check=True,
                   stdout=subprocess.DEVNULL)
    for name in names:
        done = subprocess.run([build / "tests/simt" / name, "--gtest_filter=-*/cpu", "--gtest_brief=1"])
        if done.returncode != 0:
            sys.exit(f"cuda_coverage: {name} failed")


def add_counts(counts, launches, counters):
    """Adds what one object executed: file -> line -> times, and (file, kernel) -> times."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", counters], text=True,
                          capture_output=True, check=True, cwd=counters.parent)
    for text in done.stdout.splitlines():
        for entry in json.loads(text)["files"]:
            if FOLDER not in entry["file"]:
                continue
            name = entry["file"][entry["file"].index(FOLDER):]
            lines = counts.setdefault(name, {})
            for line in entry["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
            for function in entry["functions"]:
                kernel = KERNEL.search(function["demangled_name"])
                if kernel:
                    launches[name, kernel[0]] = launches.get((name, kernel[0]), 0) + function["execution_count"]


def show(counts, with_lines):
    reached = total = 0
    for name, lines in sorted(counts.items()):
        missed = sorted(number for number, count in lines.items() if count == 0)
        reached += len(lines) - len(missed)
        total += len(lines)
        print(f"{name:45} {len(lines) - len(missed):5} of {len(lines):5} lines")
        if with_lines and missed:
            print("    never reached:", ", ".join(map(str, missed)))
    share = 100 * reached / total if total else 0
    print(f"kernels/cuda: {share:.1f} % of {total} lines")
    return share


def show_kernels(launches):
    never = sorted(f"{name}: {kernel}" for (name, kernel), count in launches.items() if count == 0)
    print(f"kernels/cuda: {len(launches) - len(never)} of {len(launches)} kernels launched")
    for kernel in never:
        print("    never launched:", kernel)
    return not never


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/cpu")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--lines", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    execute(build, programs(build))
    counts, launches = {}, {}
    for counters in sorted(build.rglob("*_coverage.dir/**/*.gcda")):
        add_counts(counts, launches, counters)
    enough = show(counts, options.lines) >= options.least
    return 0 if show_kernels(launches) and enough or options.least == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
