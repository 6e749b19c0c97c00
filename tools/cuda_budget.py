#!/usr/bin/env python3
"""What every CUDA kernel costs, against what kernels/cuda/budget.txt allows it.

cuda_budget.py ROOT [--arch 90 ...] [--update] [--nvcc PATH]

Compiles every .cu for each architecture with nvcc and ptxas; no GPU is needed. Fails when a kernel spills
registers or uses local memory (any architecture), takes more registers or static shared memory than
its budget (sm_90, by the release of nvcc that the budget names), computes in double although it is an
instantiation for float and the budget does not say so, or when kernels and budget do not name the same.
--update writes the budget anew.
Without nvcc it says so and ends with code 77.
"""
import argparse
import concurrent.futures
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BUDGET_ARCH = "90"
HEADER = """# What ptxas takes for each kernel on sm_90, checked by tools/cuda_budget.py: registers a thread,
# bytes of static shared memory, and whether it computes in double. Written by --update.
"""
VERSION = "# nvcc "
SKIPPED = 77


def find_nvcc(named):
    for place in [named, shutil.which("nvcc"), "/usr/local/cuda/bin/nvcc"]:
        if place and pathlib.Path(place).exists():
            return pathlib.Path(place).resolve()
    return None


def run(command):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"cuda_budget: {' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def readable(symbols):
    """The kernels' names without namespaces and parameters, as the source has them."""
    if not symbols:
        return {}
    names = run(["c++filt", *symbols]).splitlines()
    result = {}
    for symbol, name in zip(symbols, names):
        name = re.sub(r"(\(anonymous namespace\)|_GLOBAL__N__\w+|_INTERNAL_\w+|m2st|kernels)::", "", name)
        name = re.sub(r"^void ", "", name)
        depth, end = 0, len(name)
        for at, letter in enumerate(name):
            depth += (letter == "<") - (letter == ">")
            if letter == "(" and depth == 0 and at > 0:
                end = at
                break
        result[symbol] = name[:end].replace(" ", "")
    return result


def doubles_of(ptx):
    """Entry symbol -> whether an instruction in it works on doubles."""
    result, symbol = {}, None
    for line in ptx.splitlines():
        entry = re.search(r"\.entry (\w+)", line)
        if entry:
            symbol = entry.group(1)
            result[symbol] = False
        elif symbol and ".f64" in line and not line.lstrip().startswith((".reg", ".param", "//")):
            result[symbol] = True
    return result


def costs_of(report):
    """Function symbol -> registers, shared bytes, local bytes; registers None for what is called."""
    result, symbol = {}, None
    for line in report.splitlines():
        properties = re.search(r"Function properties for (\w+)", line)
        if properties:
            symbol = properties.group(1)
            result.setdefault(symbol, {"registers": None, "shared": 0, "local": 0})
        local = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill", line)
        if local and symbol:
            result[symbol]["local"] = sum(map(int, local.groups()))
        used = re.search(r"Used (\d+) registers", line)
        if used and symbol:
            result[symbol]["registers"] = int(used.group(1))
            shared = re.search(r"(\d+) bytes smem", line)
            result[symbol]["shared"] = int(shared.group(1)) if shared else 0
    return result


def compile_one(root, nvcc, source, arch):
    """[(name, registers, shared, local, doubles)] of the source's kernels."""
    with tempfile.TemporaryDirectory() as folder:
        ptx = pathlib.Path(folder) / "kernels.ptx"
        run([nvcc, "-std=c++20", f"-arch=compute_{arch}", "--diag-suppress=554", "-I", root, "-ptx",
             "-o", ptx, source])
        doubles = doubles_of(ptx.read_text())
        report = run([nvcc.parent / "ptxas", "-v", f"-arch=sm_{arch}", ptx, "-o",
                      pathlib.Path(folder) / "kernels.cubin"])
    costs = costs_of(report)
    names = readable(list(costs))
    stem = source.stem
    return [(f"{stem}:{names[symbol]}", cost["registers"], cost["shared"], cost["local"],
             doubles.get(symbol, False)) for symbol, cost in costs.items()]


def read_budget(path):
    budget = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            name, registers, shared, doubles = line.split()
            budget[name] = (int(registers), int(shared), doubles == "double")
    return budget


def for_float_only(name):
    return "float" in name and "double" not in name


def release_of(nvcc):
    return re.search(r"release ([\d.]+)", run([nvcc, "--version"])).group(1)


def complaints(kernels, budget, arch, same_release):
    for name, registers, shared, local, doubles in kernels:
        if local:
            yield f"{name}: {local} bytes of local memory or spills on sm_{arch}"
        if arch != BUDGET_ARCH or registers is None:
            continue
        if name not in budget:
            yield f"{name}: has no budget; tools/cuda_budget.py . --update gives it one"
            continue
        most_registers, most_shared, may_double = budget[name]
        if same_release and registers > most_registers:
            yield f"{name}: {registers} registers, its budget is {most_registers}"
        if shared > most_shared:
            yield f"{name}: {shared} bytes of shared memory, its budget is {most_shared}"
        if doubles and not may_double and for_float_only(name):
            yield f"{name}: computes in double, and the budget does not say so"
    if arch == BUDGET_ARCH:
        for name in sorted(set(budget) - {kernel[0] for kernel in kernels}):
            yield f"{name}: has a budget, but is no kernel"


def write_budget(path, kernels, release):
    rows = sorted({k[0]: k for k in kernels if k[1] is not None}.values())
    width = max(len(row[0]) for row in rows)
    lines = [f"{name:{width}} {registers:4} {shared:6} {'double' if doubles else '-'}"
             for name, registers, shared, _, doubles in rows]
    path.write_text(f"{HEADER}{VERSION}{release}\n" + "\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--arch", nargs="+", default=[BUDGET_ARCH])
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--nvcc")
    options = parser.parse_args()
    nvcc = find_nvcc(options.nvcc)
    if nvcc is None:
        print("cuda_budget: skipped, there is no nvcc here")
        return SKIPPED
    release = release_of(nvcc)
    sources = sorted((options.root / "kernels/cuda").glob("*.cu"))
    path = options.root / "kernels/cuda/budget.txt"
    failed = 0
    for arch in options.arch:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda s: compile_one(options.root, nvcc, s, arch), sources)
            kernels = [kernel for result in results for kernel in result]
        if options.update and arch == BUDGET_ARCH:
            write_budget(path, kernels, release)
        same_release = path.exists() and f"{VERSION}{release}\n" in path.read_text()
        lines = list(complaints(kernels, read_budget(path), arch, same_release))
        failed += len(lines)
        print("\n".join(lines + [f"sm_{arch}: {len(kernels)} kernels, {len(lines)} complaints"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
