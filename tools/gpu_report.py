#!/usr/bin/env python3
"""The second half of gpu_check.sh: runs the program on both devices and packs all results.

gpu_report.py BUILD_FOLDER REPORT [DATA_FOLDER...]"""
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

EPOCHS = 10
SIZES = (4000, 42000)  # cells of the simulated tissues
LOSS_TOLERANCE = 1e-5  # relative, over the first ten epochs (docs/numerics.md)
LEAST_ARI = 0.99       # of the GPU's domains against the CPU's
MOST_SECONDS = float(os.environ.get("MOST_SECONDS", "1800"))  # of one program, as in gpu_check.sh


def output_of(*command):
    """What a command prints, or None when it cannot be run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True,
                              timeout=MOST_SECONDS).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def revision():
    """The tree's, or what a bundle (tools/gpu_bundle.sh) says of itself."""
    bundle = pathlib.Path("bundle.json")
    if bundle.exists():
        return json.loads(bundle.read_text())
    return {"revision": output_of("git", "rev-parse", "HEAD")}


def machine():
    query = "name,driver_version,memory.total,compute_cap,clocks.max.sm"
    return {"gpu": output_of("nvidia-smi", f"--query-gpu={query}", "--format=csv"),
            "nvcc": output_of("nvcc", "--version"),
            "host": platform.platform(),
            "processor": platform.processor(),
            **revision(),
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def steps(build):
    """What gpu_check.sh ran before this, and whether it passed."""
    return {path.stem: path.read_text().strip()
            for path in sorted((build / "logs").glob("*.result"))}


def summaries(build, kind, cut_off):
    """Name and content of what programs left. One that died left nothing, or half, and is named in
    `cut_off`."""
    for path in sorted((build / "logs").glob(f"{kind}_*.json")):
        if path.stat().st_size == 0:
            continue
        try:
            summary = json.loads(path.read_text())
        except ValueError as error:
            cut_off[path.stem] = str(error)
        else:
            yield path.stem, summary


def tests(build, cut_off):
    """How many there were, and what failed."""
    results = {}
    for name, summary in summaries(build, "test", cut_off):
        cases = [(f"{suite['name']}.{case['name']}", case)
                 for suite in summary["testsuites"] for case in suite["testsuite"]]
        results[name] = {
            "tests": summary["tests"],
            "skipped": [name for name, case in cases if case.get("result") == "SKIPPED"],
            "failed": {name: [failure["failure"] for failure in case["failures"]]
                       for name, case in cases if case.get("failures")},
            "time": summary["time"]}
    return results


def benchmarks(build, cut_off):
    """Medians of the lines on the device, or what Google Benchmark says instead."""
    results = {}
    for _, summary in summaries(build, "bench", cut_off):
        for line in summary.get("benchmarks", []):
            if line.get("error_occurred"):
                results[line["run_name"]] = {"failed": line["error_message"]}
            elif line.get("aggregate_name") == "median":
                results[line["run_name"]] = {
                    key: value for key, value in line.items()
                    if isinstance(value, float) or key == "time_unit"}
    return results


def run(program, folder, out, device, epochs):
    """One `m2st run`; its manifest, or what it said when it failed."""
    command = [program, "run", "--features", folder / "features.npy", "--coords",
               folder / "coords.npy", "-k", "7", "--device", device, "-o", out, "--force",
               "--progress", "none", "--epochs", str(epochs)]
    if (folder / "labels.txt").exists():
        command += ["--labels", folder / "labels.txt"]
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return {"failed": f"no end within {MOST_SECONDS:g} seconds"}
    if done.returncode != 0:
        return {"failed": done.stderr.strip(), "code": done.returncode}
    return json.loads((out / "manifest.json").read_text())


def seconds(manifest, stage):
    return sum(s["wall_seconds"] for s in manifest["stages"] if s["stage"] == stage)


def compare(build, folder, epochs):
    """The same run on both devices: losses, domains, times."""
    program = build / "m2st"
    outs = {device: build / "runs" / folder.name / device for device in ("cpu", "cuda")}
    manifests = {device: run(program, folder, out, device, epochs) for device, out in outs.items()}
    failed = {device: m for device, m in manifests.items() if "failed" in m}
    if failed:
        return {"agrees": False, "failed": failed}
    losses = {device: m["training"]["losses"][:EPOCHS] for device, m in manifests.items()}
    worst = max(abs(a - b) / abs(a) for a, b in zip(losses["cpu"], losses["cuda"]))
    scores = json.loads(output_of(str(program), "score", "--labels",
                                  str(outs["cuda"] / "domains.csv"), "--truth",
                                  str(outs["cpu"] / "domains.csv")) or "{}")
    ari = scores.get("ari")
    # Domains are compared after a whole training only: ten epochs leave them undecided.
    agrees = worst <= LOSS_TOLERANCE and (epochs <= EPOCHS or (ari or 0) >= LEAST_ARI)
    return {"cells": manifests["cuda"]["data"]["cells"],
            "features": manifests["cuda"]["data"]["features"],
            "epochs": epochs,
            "largest_relative_difference_of_losses": worst,
            "ari_of_cuda_against_cpu": ari,
            "metrics": {device: m.get("metrics") for device, m in manifests.items()},
            "train_seconds": {device: seconds(m, "train") for device, m in manifests.items()},
            "seconds_per_epoch": {device: seconds(m, "train") / epochs
                                  for device, m in manifests.items()},
            "agrees": agrees}


def simulated(build, cells):
    folder = build / "runs" / f"simulated_{cells}"
    output_of(str(build / "m2st"), "simulate", "-n", str(cells), "-k", "7", "--seed", "1", "-o",
              str(folder), "--force")
    return folder


def complaints(report):
    """What keeps a report from passing, in words."""
    found = [f"{name}: failed" for name, result in report["steps"].items() if result == "failed"]
    found += [f"{name}: every test was skipped" for name, test in report["tests"].items()
              if len(test["skipped"]) == test["tests"]]
    found += [f"{name}: its results are cut off: {error}"
              for name, error in report["cut_off"].items()]
    for name, run_of in report["runs"].items():
        failed = run_of.get("failed", {})
        found += [f"{name}: {device}: {manifest['failed']}" for device, manifest in failed.items()]
        if not failed and not run_of["agrees"]:
            found.append(f"{name}: the devices do not agree")
    return found if report["tests"] else found + ["no test has run"]


def main():
    build, report_path = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    cut_off = {}
    report = {"machine": machine(), "steps": steps(build), "tests": tests(build, cut_off),
              "benchmarks": benchmarks(build, cut_off), "cut_off": cut_off, "runs": {}}
    for cells in SIZES:
        folder = simulated(build, cells)
        report["runs"][folder.name] = compare(build, folder, EPOCHS)
    for name in sys.argv[3:]:
        folder = pathlib.Path(name)
        report["runs"][folder.name] = compare(build, folder, 200)
    report["complaints"] = complaints(report)
    report["passed"] = not report["complaints"]
    report_path.parent.mkdir(parents=True, exist_ok=True)
    report_path.write_text(json.dumps(report, indent=2) + "\n")
    for complaint in report["complaints"]:
        print("gpu_check:", complaint, file=sys.stderr)
    print(report_path)
    return 0 if report["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
