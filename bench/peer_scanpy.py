#!/usr/bin/env python3
"""From counts to 50 components: m2st prepare beside scanpy, the same steps on the same file.

    build/python/bin/python bench/peer_scanpy.py --program build/cpu/m2st

build/python is what tools/setup_python.sh makes: the comparison itself needs NumPy and SciPy too.
Both read X.npz, leave out absent genes, choose 3,000 genes by seurat_v3 where there are more,
normalise to 10,000, take logs, scale and take 50 components; in turn, some rounds. Ours is the whole
process, files written; scanpy's is its steps alone, without the import of its packages, once with
its default solver and once with its fastest. `--graph` adds a spatial graph to ours, which is then
the way from X to all that training needs. Components are compared: the run fails when they differ.
Inputs are the real set of --data where it is, and simulated counts.
"""
import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SOLVERS = ("arpack", "covariance_eigh")
TOLERANCE = 2e-2  # of the largest score: scanpy keeps floats, whose rounding turns close components


def scanpy_steps(counts, solver, out):
    """What the child process runs; prints seconds and peak memory."""
    import resource
    import warnings
    warnings.simplefilter("ignore")
    import anndata
    import numpy as np
    import scanpy
    import scipy.sparse
    import skmisc.loess  # noqa: F401
    start = time.perf_counter()
    data = anndata.AnnData(scipy.sparse.load_npz(counts).tocsr().astype(np.float32))
    scanpy.pp.filter_genes(data, min_cells=1)
    if data.n_vars > 3000:
        scanpy.pp.highly_variable_genes(data, flavor="seurat_v3", n_top_genes=3000, subset=True)
    scanpy.pp.normalize_total(data, target_sum=1e4)
    scanpy.pp.log1p(data)
    scanpy.pp.scale(data)
    scanpy.pp.pca(data, n_comps=50, svd_solver=solver, mask_var=None)
    seconds = time.perf_counter() - start
    np.save(out, data.obsm["X_pca"])
    print(json.dumps({"seconds": seconds,
                      "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


def simulate(path, cells, genes, density):
    """Seven groups of cells with genes of their own, about `density` of the entries not zero."""
    import numpy as np
    import scipy.sparse
    random = np.random.default_rng(1)
    per_cell = int(genes * density)
    indices = np.empty((cells, per_cell), np.int32)
    weights = np.arange(1, genes + 1) / genes
    for group in range(7):
        members = np.arange(group, cells, 7)
        own = np.log(weights * (1 + 2 * (np.arange(genes) % 7 == group)))
        for first in range(0, len(members), 2000):  # the largest of Gumbel draws: without repeats
            part = members[first:first + 2000]
            draws = own + random.gumbel(size=(len(part), genes))
            indices[part] = np.argpartition(-draws, per_cell, axis=1)[:, :per_cell]
    indices.sort(axis=1)
    values = random.geometric(0.6, indices.size).astype(np.float32)
    offsets = np.arange(0, indices.size + 1, per_cell)
    scipy.sparse.save_npz(path, scipy.sparse.csr_matrix((values, indices.ravel(), offsets),
                                                        (cells, genes)), compressed=False)


def process(command, environment=None):
    """Wall seconds, peak bytes and output of a command; its failure ends this one."""
    start = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                             env=environment, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"peer_scanpy: {command} failed")
    return time.perf_counter() - start, usage.ru_maxrss * 1024, output


class Comparison:
    def __init__(self, args, folder):
        self.args, self.folder = args, pathlib.Path(folder)
        threads = str(args.threads)
        self.environment = dict(os.environ, OMP_NUM_THREADS=threads, NUMBA_NUM_THREADS=threads,
                                OPENBLAS_NUM_THREADS=threads)

    def ours(self, counts):
        seconds, peak, _ = process([self.args.program, "prepare", counts, "-o", self.folder / "ours",
                                    "--force", "-q", "--recipe", "log", "-t", self.args.threads])
        places = counts.parent / "coords.npy"
        if self.args.graph and places.exists():
            more, graph_peak, _ = process([self.args.program, "graph", "--coords", places, "-o",
                                           self.folder / "graph", "--force", "-q", "-t",
                                           self.args.threads])
            seconds, peak = seconds + more, max(peak, graph_peak)
        return {"seconds": seconds, "peak_bytes": peak}

    def theirs(self, counts, solver):
        _, _, output = process([self.args.python, __file__, "--steps", counts, solver,
                                self.folder / f"{solver}.npy"], self.environment)
        return json.loads(output.splitlines()[-1])

    def measure(self, name, counts):
        runs = {"m2st": []} | {solver: [] for solver in self.args.solvers}
        for _ in range(self.args.rounds):
            runs["m2st"].append(self.ours(counts))
            for solver in self.args.solvers:
                runs[solver].append(self.theirs(counts, solver))
        row = {"set": name}
        for who, each in runs.items():
            seconds = [one["seconds"] for one in each]
            row[who] = {"median": statistics.median(seconds), "low": min(seconds),
                        "high": max(seconds), "peak_bytes": max(o["peak_bytes"] for o in each)}
        row["difference"] = {solver: self.difference(solver) for solver in self.args.solvers}
        return row

    def difference(self, solver):
        import numpy as np
        ours = np.load(self.folder / "ours" / "features.npy")[:, :10]
        theirs = np.load(self.folder / f"{solver}.npy")[:, :10]
        return float((np.abs(ours - theirs).max(0) / np.abs(theirs).max(0)).max())


def table(rows, solvers):
    yield "| set | m2st, s | m2st, MB | " + " | ".join(
        f"scanpy {solver}, s | ratio | MB | difference" for solver in solvers) + " |"
    yield "|" + " --- |" * (3 + 4 * len(solvers))
    for row in rows:
        ours = row["m2st"]
        cells = [row["set"], f"{ours['median']:.2f} ({ours['low']:.2f}–{ours['high']:.2f})",
                 f"{ours['peak_bytes'] / 1e6:.0f}"]
        for solver in solvers:
            peer = row[solver]
            cells += [f"{peer['median']:.2f} ({peer['low']:.2f}–{peer['high']:.2f})",
                      f"{peer['median'] / ours['median']:.2f}", f"{peer['peak_bytes'] / 1e6:.0f}",
                      f"{row['difference'][solver]:.1e}"]
        yield "| " + " | ".join(cells) + " |"


def main():
    if sys.argv[1:2] == ["--steps"]:
        return scanpy_steps(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=HERE.parent / "build/cpu/m2st")
    parser.add_argument("--python", default=sys.executable, help="the Python that has scanpy")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("--cells", type=int, default=50000, help="simulated; 0: none")
    parser.add_argument("--genes", type=int, default=2000)
    parser.add_argument("--density", type=float, default=0.05)
    parser.add_argument("--solvers", nargs="*", choices=SOLVERS, default=list(SOLVERS))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--graph", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, help="file for everything measured")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="m2st_scanpy_") as folder:
        comparison = Comparison(args, folder)
        xenium = args.data / "xenium_breast_34k" / "X.npz"
        if xenium.exists():
            rows.append(comparison.measure("xenium_breast_34k", xenium))
        if args.cells > 0:
            path = comparison.folder / "X.npz"
            simulate(path, args.cells, args.genes, args.density)
            rows.append(comparison.measure(f"simulated {args.cells} x {args.genes}", path))
    print(f"{datetime.date.today().isoformat()}, {args.threads} threads, {args.rounds} rounds, "
          f"load {os.getloadavg()[0]:.1f}")
    print("\n".join(table(rows, args.solvers)))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    far = [row["set"] for row in rows if any(d > TOLERANCE for d in row["difference"].values())]
    if far:
        print(f"peer_scanpy: not the same components on {', '.join(far)}", file=sys.stderr)
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
