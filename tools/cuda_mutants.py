#!/usr/bin/env python3
"""Would the tests notice a barrier that is missing? Takes the barriers of kernels/cuda away, one by one.

cuda_mutants.py [--only TEXT] [--jobs N]

Works on a copy of the tree. A mutant is caught when a test program of the host executor fails, first with
ThreadSanitizer, then plain. Prints each mutant's fate and how many survived; the code is 1 if any did.
Takes about a minute a mutant, so no test runs it: run it when kernels or the executor change.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BARRIER = re.compile(r"^\s*__sync(threads|warp)\([^;]*\);")
PROGRAMS = ["test_kernels_simt_tsan", "test_cuda_simt_tsan", "test_kernels_simt", "test_cuda_simt"]
TEST_SECONDS = 900
# ThreadSanitizer is slow; what is left out here runs plain after it, as in tests/simt/CMakeLists.txt.
LARGE = ":*Threads*:Sort.ArgsortIsTheStableOrder:Reduce*.SumIsNotLostInFloat"


def copied_tree(folder):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return folder


def mutants(root, only):
    for path in sorted((root / "kernels/cuda").glob("*.cu*")):
        for number, line in enumerate(path.read_text().splitlines()):
            if BARRIER.match(line) and only in f"{path.name}:{number + 1}":
                yield path, number


def built(root, jobs):
    command = ["cmake", "--build", root / "build/cpu", f"-j{jobs}", "--target", *PROGRAMS]
    return subprocess.run(command, capture_output=True, text=True).returncode == 0


def catching_program(root):
    environment = dict(os.environ, TSAN_OPTIONS="halt_on_error=1", M2ST_EXACT_MEMORY="1")
    for program in PROGRAMS:
        tests = "--gtest_filter=-*/cpu" + (LARGE if program.endswith("tsan") else "")
        command = [root / "build/cpu/tests/simt" / program, tests, "--gtest_brief=1"]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=TEST_SECONDS)
        except subprocess.TimeoutExpired:
            return f"{program} (timed out)"
        if done.returncode != 0:
            return program
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="mutants whose FILE:LINE has this in it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    survivors = count = 0
    with tempfile.TemporaryDirectory() as folder:
        root = copied_tree(pathlib.Path(folder))
        subprocess.run(["cmake", "--preset", "cpu"], cwd=root, check=True, stdout=subprocess.DEVNULL)
        if not built(root, options.jobs) or catching_program(root):
            sys.exit("cuda_mutants: the tests do not pass as they are")
        for path, number in mutants(root, options.only):
            text = path.read_text()
            lines = text.splitlines(keepends=True)
            lines[number] = BARRIER.sub("", lines[number])
            path.write_text("".join(lines))
            caught = catching_program(root) if built(root, options.jobs) else "the compiler"
            path.write_text(text)
            count += 1
            survivors += caught is None
            print(f"{path.name}:{number + 1}: {'caught by ' + caught if caught else 'SURVIVED'}", flush=True)
    print(f"{count - survivors} of {count} mutants caught")
    return 1 if survivors or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
