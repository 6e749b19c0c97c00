#!/usr/bin/env python3
"""Includes go down only: a folder may include itself and the folders listed for it."""
import pathlib
import re
import sys

MAY_INCLUDE = {
    "engine": {"engine"},
    "kernels": {"kernels", "engine"},
    "data": {"data", "kernels", "engine"},
    "autograd": {"autograd", "kernels", "engine"},
    "cluster": {"cluster", "kernels", "engine"},
    "model": {"model", "autograd", "kernels", "engine", "data/graph"},
    "apps": {"apps", "model", "cluster", "autograd", "data", "kernels", "engine"},
}
DEVICE_HEADERS = re.compile(r"^(cuda|cublas|cusolver|cusparse|cub/|thrust/|nccl)")
CPU_ONLY_HEADERS = re.compile(r"^(cblas|lapacke|oneapi/dnnl|dnnl|omp\.h)")
# What no CPU floor outside kernels/cpu needs may still be standard or a third party's.
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def allowed(folder, target):
    return any(target == base or target.startswith(base + "/") for base in MAY_INCLUDE[folder])


def complaints(root):
    found = 0
    for folder in MAY_INCLUDE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".h", ".cpp", ".cu", ".cuh"}:
                continue
            name = path.relative_to(root).as_posix()
            found += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                kind, target = match.groups()
                if kind == '"' and "/" in target and not allowed(folder, target):
                    yield f"{name}:{number}: {folder} may not include {target}"
                if DEVICE_HEADERS.match(target) and path.suffix not in {".cu", ".cuh"}:
                    yield f"{name}:{number}: CUDA headers belong in .cu and .cuh only"
                if CPU_ONLY_HEADERS.match(target) and not name.startswith(("kernels/cpu/", "engine/")):
                    yield f"{name}:{number}: {target} belongs in kernels/cpu and engine only"
            if len(path.read_text().splitlines()) > 500:
                yield f"{name}: longer than 500 lines"
    if found == 0:
        yield f"no source found under {root}"


if __name__ == "__main__":
    lines = list(complaints(pathlib.Path(sys.argv[1])))
    print("\n".join(lines) or "includes go down only")
    sys.exit(1 if lines else 0)
