#!/usr/bin/env python3
"""Every header compiles alone: check_headers.py ROOT COMPILER GENERATED_INCLUDE_FOLDER."""
import concurrent.futures
import pathlib
import subprocess
import sys

FOLDERS = ["engine", "kernels", "data", "autograd", "cluster", "model", "apps", "tests"]


# Headers of kernels meant for the host executor are read as it reads them.
EXECUTOR, EXECUTORS_HEADERS = "tests/simt/", "tests/simt/include"


def compile_alone(root, compiler, generated, header):
    executor = ["-I", str(root / EXECUTORS_HEADERS)] if header.startswith(EXECUTOR) else []
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wno-pragma-once-outside-header",
               *executor,
               "-DM2ST_SHARED_FOLDER=\"\"", "-I", str(root), "-I", generated, "-I", "/usr/include/eigen3",
               "-I", "/usr/include/hdf5/serial", "-x", "c++", "-"]
    done = subprocess.run(command, input=f'#include "{header}"\n', text=True, capture_output=True)
    return header, done.returncode, done.stderr


def main():
    root, compiler, generated = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    headers = [path.relative_to(root).as_posix() for folder in FOLDERS
               for path in sorted((root / folder).rglob("*.h"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda h: compile_alone(root, compiler, generated, h), headers))
    failed = [(header, error) for header, code, error in results if code != 0]
    for header, error in failed:
        print(f"{header} does not compile alone:\n{error}")
    print(f"{len(headers) - len(failed)} of {len(headers)} headers compile alone")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
