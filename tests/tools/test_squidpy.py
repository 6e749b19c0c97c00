"""The program's graphs with --graph-semantics squidpy against squidpy itself, edge by edge.

    python test_squidpy.py PROGRAM SHARED_FOLDER

Skipped where squidpy is not installed; sets of the shared folder that are absent are left out by
name. Distances agree to rounding: both take the square root of the same sums in double.
"""

import logging
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

PROGRAM, SHARED = sys.argv[1], Path(sys.argv[2])
ROUNDING = 1e-12
WEIGHTS = 1e-6  # floats on both sides, at most 1

try:
    import numpy as np
    import scipy.sparse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
        import squidpy

    logging.disable(logging.INFO)  # it says so of every graph
    ABSENT = ""
except ImportError as error:
    ABSENT = str(error)


def simulated(pattern, cells, folder):
    subprocess.run([PROGRAM, "simulate", "-n", str(cells), "-k", "3", "--pattern", pattern,
                    "--signal", "components", "-o", folder], check=True, capture_output=True)
    return np.load(Path(folder) / "coords.npy")


def point_sets(folder):
    """Name → coordinates."""
    random = np.random.default_rng(5)
    sets = {f"{pattern} lattice" if pattern != "random" else pattern:
            simulated(pattern, 1500, str(Path(folder) / pattern))
            for pattern in ("hex", "square", "random")}
    sets["solid"] = random.uniform(0, 50, (800, 3))
    sets["few"] = random.uniform(0, 50, (8, 2))
    for name in ("starmap_counts", "xenium_breast_34k"):
        if (SHARED / name / "coords.npy").exists():
            sets[name] = np.load(SHARED / name / "coords.npy")
        else:
            print(f"{name} is not in the shared folder: left out", file=sys.stderr)
    return sets


@unittest.skipIf(ABSENT, f"squidpy is not installed: {ABSENT}")
class Squidpy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.sets = point_sets(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def ours(self, coordinates, options, sections=None):
        np.save(self.folder / "c.npy", np.asarray(coordinates, dtype=float))
        words = [PROGRAM, "graph", "--coords", str(self.folder / "c.npy"), "--graph-semantics",
                 "squidpy", "-o", str(self.folder / "out"), "--force", "-q", *options]
        if sections is not None:
            (self.folder / "s.txt").write_text("\n".join(sections) + "\n")
            words += ["--sections", str(self.folder / "s.txt")]
        subprocess.run(words, check=True, capture_output=True)
        return (scipy.sparse.load_npz(self.folder / "out" / "graph.npz"),
                scipy.sparse.load_npz(self.folder / "out" / "graph_distances.npz"))

    def theirs(self, coordinates, kind, sections=None, **parameters):
        data = anndata.AnnData(np.zeros((len(coordinates), 1), dtype=np.float32))
        data.obsm["spatial"] = np.asarray(coordinates, dtype=float)
        if sections is not None:
            data.obs["section"] = np.array(sections)
            data.obs["section"] = data.obs["section"].astype("category")
            parameters["library_key"] = "section"
        build = getattr(squidpy.gr, f"spatial_neighbors_{kind}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = build(data, copy=True, **parameters)
        return result[0].tocsr(), result[1].tocsr()

    def compare(self, name, options, kind, sections=None, **parameters):
        with self.subTest(points=name, options=options):
            ours, our_lengths = self.ours(self.sets[name], options, sections)
            theirs, their_lengths = self.theirs(self.sets[name], kind, sections, **parameters)
            edges = lambda graph: set(zip(*(part.tolist() for part in graph.nonzero())))
            self.assertEqual(ours.nnz, len(edges(ours)))
            self.assertEqual(edges(ours), edges(theirs))
            self.assertGreater(ours.nnz, 0)
            self.assertLessEqual(abs(ours - theirs).max(), WEIGHTS)
            furthest = abs(their_lengths).max()
            self.assertLessEqual(abs(our_lengths - their_lengths).max(), ROUNDING * furthest)

    def test_knn(self):
        # Lattices are left out: which of equally far cells is nearest is nobody's to say.
        for name in ("random", "solid", "few", "starmap_counts", "xenium_breast_34k"):
            for neighbours in (1, 3, 6, 15):
                if name in self.sets and neighbours < len(self.sets[name]):
                    self.compare(name, ["--graph", "knn", "--neighbors", str(neighbours)], "knn",
                                 n_neighs=neighbours)

    def test_radius(self):
        for name, points in self.sets.items():
            pitch = nearest_distance(points)
            for factor in (1.5, 3):
                radius = float(pitch * factor)
                self.compare(name, ["--graph", "radius", "--radius", repr(radius)], "radius",
                             radius=radius)
            interval = (float(pitch * 1.2), float(pitch * 2.5))
            self.compare(name, ["--graph", "radius", "--radius", repr(interval[1]), "--min-radius",
                                repr(interval[0])], "radius", radius=interval)

    def test_delaunay(self):
        for name, points in self.sets.items():
            self.compare(name, ["--graph", "delaunay"], "delaunay")
            radius = float(nearest_distance(points) * 2.5)
            self.compare(name, ["--graph", "delaunay", "--radius", repr(radius)], "delaunay",
                         radius=radius)

    def test_grid(self):
        for name in self.sets:
            for neighbours, rings in ((6, 1), (6, 2), (6, 3), (4, 1), (4, 2)):
                if "lattice" in name and "hex" in name and neighbours == 4:
                    continue  # four of six equally far cells
                self.compare(name, ["--graph", "grid", "--neighbors", str(neighbours), "--rings",
                                    str(rings)], "grid", n_neighs=neighbours, n_rings=rings)

    def test_percentile(self):
        # Lattices are left out: which of their lengths are equal is a matter of rounding.
        for name in ("random", "solid", "few", "starmap_counts", "xenium_breast_34k"):
            if name not in self.sets:
                continue
            pitch = nearest_distance(self.sets[name])
            interval = (float(pitch * 0.8), float(pitch * 2.5))
            for percentile in (99.0, 85.0):
                more = ["--percentile", str(percentile)]
                self.compare(name, ["--graph", "knn", *more], "knn", percentile=percentile)
                self.compare(name, ["--graph", "radius", "--radius", repr(interval[1]), *more],
                             "radius", radius=interval[1], percentile=percentile)
                for kind in ("radius", "delaunay"):
                    self.compare(name, ["--graph", kind, "--radius", repr(interval[1]),
                                        "--min-radius", repr(interval[0]), *more], kind,
                                 radius=interval, percentile=percentile)

    def test_transforms(self):
        for name, points in self.sets.items():
            for transform in ("spectral", "cosine"):
                for diagonal in ("off", "on"):
                    more = ["--transform", transform, "--set-diag", diagonal]
                    options = {"transform": transform, "set_diag": diagonal == "on"}
                    self.compare(name, ["--graph", "delaunay", *more], "delaunay", **options)
                    if "lattice" in name or transform == "cosine":
                        self.compare(name, ["--graph", "grid", *more], "grid", **options)
                    else:
                        self.compare_finite(name, more, options)
        self.compare("random", ["--graph", "grid", "--rings", "2", "--set-diag", "on"], "grid",
                     n_rings=2, set_diag=True)
        self.compare("random", ["--graph", "knn", "--set-diag", "on", "--percentile", "60"], "knn",
                     set_diag=True, percentile=60)

    def compare_finite(self, name, options, parameters):
        """Spectral weights of cells that no edge ends at are infinite there and 0 here."""
        with self.subTest(points=name, options=options):
            ours, _ = self.ours(self.sets[name], ["--graph", "knn", *options])
            theirs, _ = self.theirs(self.sets[name], "knn", **parameters)
            ours.sort_indices()
            theirs.sort_indices()
            np.testing.assert_array_equal(ours.indptr, theirs.indptr)
            np.testing.assert_array_equal(ours.indices, theirs.indices)
            finite = np.isfinite(theirs.data)
            self.assertLessEqual(np.abs(ours.data[finite] - theirs.data[finite]).max(), WEIGHTS)
            self.assertFalse(ours.data[~finite].any())

    def test_sections(self):
        for name, points in self.sets.items():
            if len(points) < 100:
                continue
            sections = [("a", "b", "c")[i * 7 % 11 % 3] for i in range(len(points))]
            if "lattice" not in name:
                self.compare(name, ["--graph", "knn", "--neighbors", "5"], "knn", sections,
                             n_neighs=5)
            self.compare(name, ["--graph", "delaunay"], "delaunay", sections)
            if "lattice" not in name:
                self.compare(name, ["--graph", "knn", "--percentile", "80", "--transform", "cosine"],
                             "knn", sections, percentile=80, transform="cosine")


def nearest_distance(points):
    from scipy.spatial import cKDTree

    lengths = cKDTree(points).query(points, k=2)[0][:, 1]
    return float(np.median(lengths))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
