#!/usr/bin/env python3
"""The ratio table of one run: the engine against its peers, on the same inputs and the same cores.

    bench/peers.py --program build/cpu/m2st

First it makes sure that both compute the same thing: ten epochs without dropout must give equal
losses (relative 1e-4), the reference clustering must give the same partition. Then it times them in
turn, round by round, and prints medians with the range of the rounds. Inputs are the real sets of
--data where they are, else simulated ones of the same sizes. Exit code 1 when a check fails.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
LOSS_TOLERANCE = 1e-4  # relative: float32 sums in another order, through ten steps of Adam
CHECK_EPOCHS = 10
# Adam's first steps have full size however small a gradient is, so where one is near zero a
# rounding decides the step's sign. Moving the start values by half a unit in the last place of
# float32 moves the first ten losses by 1e-4 on STARmap at the default rate, 0.005, and by 7e-3 on
# the breast section at a fifth of it, in float64 too: no two programs agree there. At this rate
# ten epochs still lower the loss by some percent, hundreds of times the tolerance.
CHECK_RATE = 2e-5
# name: (folder of the real set, cells, features, domains)
SETS = {
    "starmap": ("starmap_m2st", 1207, 300, 7),
    "breast": ("breast_m2st", 3798, 200, 20),
    "slideseq": (None, 41786, 200, 14),
}


class Peers:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.environment = dict(os.environ)
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            self.environment[name] = str(args.threads)

    def command(self, command):
        done = subprocess.run([str(part) for part in command], env=self.environment, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"peers: {' '.join(map(str, command))} failed:\n{done.stderr}")
        return done

    def m2st(self, job, *options):
        """Runs a job; returns its manifest and its lines of progress."""
        out = self.folder / "out" / job
        done = self.command([self.args.program, job, *options, "-o", out, "--force", "--progress",
                             "json", "-t", self.args.threads])
        lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        return json.loads((out / "manifest.json").read_text()), lines, out

    def peer(self, script, *options):
        done = self.command([self.args.python, HERE / script, *options])
        return json.loads(done.stdout.splitlines()[-1])

    def prepare(self, name):
        """Features and graph folder of a set."""
        real, cells, width, _ = SETS[name]
        if real and (self.args.data / real / "features.npy").exists():
            return self.args.data / real / "features.npy", self.args.data / real
        tissue, graph = self.folder / name, self.folder / (name + "_graph")
        self.command([self.args.program, "simulate", "-n", cells, "--components", width, "-o",
                      tissue])
        self.command([self.args.program, "graph", "--coords", tissue / "coords.npy", "-o", graph])
        return tissue / "features.npy", graph

    def our_epochs(self, data, epochs, *options):
        features, graph = data
        manifest, lines, out = self.m2st("embed", "--features", features, "--adjacency", graph,
                                         "--epochs", epochs, "--seed", self.args.seed, *options)
        stages = {stage["stage"]: stage for stage in manifest["stages"]}
        return dict(seconds=[line["seconds"] for line in lines if "epoch" in line],
                    losses=[line["loss"] for line in lines if "epoch" in line],
                    peak_resident_bytes=stages["train"]["peak_resident_bytes"], out=out)

    def their_epochs(self, data, epochs, *options):
        features, graph = data
        return self.peer("peer_torch.py", "--features", features, "--graph", graph, "--epochs",
                         epochs, "--seed", self.args.seed, "--threads", self.args.threads,
                         "--edges", self.args.edges, *options)

    def check_losses(self, name, data):
        ours = self.our_epochs(data, CHECK_EPOCHS, "--lr", CHECK_RATE, "--feature-dropout", 0,
                               "--attention-dropout", 0)
        theirs = self.their_epochs(data, CHECK_EPOCHS, "--lr", CHECK_RATE, "--dropout", "off")
        pairs = zip(ours["losses"], theirs["losses"])
        worst = max(abs(a - b) / abs(b) for a, b in pairs)
        print(f"peers: {name}: losses of {CHECK_EPOCHS} epochs differ by {worst:.1e} at most",
              file=sys.stderr)
        return worst, ours["out"]

    def our_clustering(self, embeddings, domains):
        manifest, _, out = self.m2st("cluster", *embeddings, "-k", domains, "--method", "reference",
                                     "--seed", self.args.seed)
        stage = next(s for s in manifest["stages"] if s["stage"] == "cluster")
        labels = np.loadtxt(out / "domains.csv", delimiter=",", skiprows=1, usecols=1, dtype=int)
        return dict(seconds=[stage["wall_seconds"]], labels=labels,
                    peak_resident_bytes=stage["peak_resident_bytes"])

    def their_clustering(self, embeddings, domains):
        out = self.folder / "peer_labels.txt"
        result = self.peer("peer_cluster.py", *embeddings, "-k", domains, "--seed", self.args.seed,
                           "--out", out)
        result.update(seconds=[result["seconds"]], labels=np.loadtxt(out, dtype=int))
        return result

    def in_turn(self, ours, theirs):
        """Rounds of ours then theirs, the order turning; a measurement each."""
        results = ([], [])
        for number in range(self.args.rounds):
            both = [(0, ours), (1, theirs)]
            for place, run in both if number % 2 == 0 else both[::-1]:
                results[place].append(run())
        return [measurement(rounds) for rounds in results]


def measurement(rounds):
    medians = [statistics.median(one["seconds"]) for one in rounds]
    return dict(median=statistics.median(medians), low=min(medians), high=max(medians),
                rounds=medians, peak_bytes=max(one["peak_resident_bytes"] for one in rounds))


def same_partition(a, b):
    """Share of cells that agree under the best one-to-one renaming that rows alone suggest."""
    table = np.zeros((a.max() + 1, b.max() + 1), int)
    np.add.at(table, (a, b), 1)
    return table.max(1).sum() / len(a) if len(set(table.argmax(1))) == len(table) else 0.0


def row(task, name, ours, theirs):
    return dict(task=task, set=name, ours=ours, theirs=theirs,
                ratio=theirs["median"] / ours["median"],
                memory_ratio=theirs["peak_bytes"] / ours["peak_bytes"])


def measure(peers, name, args):
    domains = SETS[name][3]
    data = peers.prepare(name)
    worst, out = peers.check_losses(name, data)
    embeddings = []
    for scale in (1, 2):
        copy = peers.folder / f"{name}_scale{scale}.npy"
        copy.write_bytes((out / f"embedding_scale{scale}.npy").read_bytes())
        embeddings += ["--embedding", copy]
    agreement = same_partition(peers.our_clustering(embeddings, domains)["labels"],
                               peers.their_clustering(embeddings, domains)["labels"])
    print(f"peers: {name}: {agreement:.2%} of cells in the same cluster", file=sys.stderr)
    rows = [row("epoch", name, *peers.in_turn(
        lambda: peers.our_epochs(data, args.epochs),
        lambda: peers.their_epochs(data, args.epochs)))]
    rows.append(row("clustering", name, *peers.in_turn(
        lambda: peers.our_clustering(embeddings, domains),
        lambda: peers.their_clustering(embeddings, domains))))
    return rows, dict(set=name, worst_loss_difference=worst, same_clusters=agreement,
                      equal=bool(worst <= LOSS_TOLERANCE and agreement >= args.agreement))


def seconds(value):
    return f"{value['median']:.4g} ({value['low']:.4g}–{value['high']:.4g})"


def table(rows):
    yield "| task | set | m2st, s | peer, s | ratio | m2st, MB | peer, MB |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for one in rows:
        memory = [f"{one[who]['peak_bytes'] / 1e6:.0f}" for who in ("ours", "theirs")]
        yield (f"| {one['task']} | {one['set']} | {seconds(one['ours'])} | "
               f"{seconds(one['theirs'])} | {one['ratio']:.2f} | {memory[0]} | {memory[1]} |")


def circumstances(args):
    revision = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], text=True,
                              capture_output=True, check=False).stdout.strip()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return dict(machine=models[0] if models else platform.processor(),
                date=datetime.date.today().isoformat(), revision=revision, threads=args.threads,
                rounds=args.rounds, epochs=args.epochs, edges=args.edges,
                load_before=os.getloadavg()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=HERE.parent / "build/cpu/m2st")
    parser.add_argument("--python", default=sys.executable, help="the peers' Python, with PyTorch")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--edges", choices=("torch", "pyg"), default="torch")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5, help="timed in each round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--agreement", type=float, default=1.0,
                        help="share of cells that must be clustered alike")
    parser.add_argument("--json", type=pathlib.Path, help="file for everything measured")
    args = parser.parse_args()
    report = dict(circumstances(args), checks=[], rows=[])
    with tempfile.TemporaryDirectory(prefix="m2st_peers_") as folder:
        (pathlib.Path(folder) / "out").mkdir()
        peers = Peers(args, pathlib.Path(folder))
        for name in args.sets:
            rows, check = measure(peers, name, args)
            report["rows"] += rows
            report["checks"].append(check)
    report["load_after"] = os.getloadavg()[0]
    print(", ".join(f"{key} {value}" for key, value in report.items()
                    if key not in ("checks", "rows")))
    print("\n".join(table(report["rows"])))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    failed = [check["set"] for check in report["checks"] if not check["equal"]]
    if failed:
        print(f"peers: not the same computation on {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
