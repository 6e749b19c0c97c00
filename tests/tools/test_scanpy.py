"""The program's preparation against scanpy itself, in double, step by step.

    python test_scanpy.py PROGRAM SHARED_FOLDER

Skipped where scanpy is not installed; sets of the shared folder that are absent are left out by
name. The program rounds normalised values to float once a step, so values agree to 1e-6, not better.
"""

import csv
import logging
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

PROGRAM, SHARED = sys.argv[1], Path(sys.argv[2])
VALUES = 1e-6      # relative, of normalised and logged values
V3_SCORES = 1e-9   # relative: both sides compute in double
SCORES = 1e-4      # of dispersions, which come from values rounded to float
COMPONENTS = 1e-4  # of the largest score of a component, signs included

try:
    import numpy as np
    import scipy.sparse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
        import scanpy
        import skmisc.loess  # noqa: F401  seurat_v3 needs it

    logging.disable(logging.INFO)
    ABSENT = ""
except ImportError as error:
    ABSENT = str(error)


def simulated(cells, genes):
    """Counts of seven groups with markers, genes of all depths, some in no cell."""
    random = np.random.default_rng(3)
    means = random.gamma(0.6, 0.8, genes)
    means[::97] = 0
    fold = 1 + 2 * (random.random((7, genes)) < 0.1)
    depth = random.gamma(4, 0.25, (cells, 1))
    rates = depth * means * fold[np.arange(cells) % 7]
    return scipy.sparse.csr_matrix(random.poisson(random.gamma(2, rates / 2)).astype(np.float64))


def count_sets():
    """Name → (counts, how many genes to choose)."""
    sets = {"simulated": (simulated(2500, 1400), 600), "few cells": (simulated(150, 900), 300)}
    for name, chosen in (("starmap_counts", 400), ("xenium_breast_34k", 150)):
        if (SHARED / name / "X.npz").exists():
            counts = scipy.sparse.load_npz(SHARED / name / "X.npz").astype(np.float64)
            sets[name] = (counts.tocsr(), chosen)
        else:
            print(f"{name} is not in the shared folder: left out", file=sys.stderr)
    return sets


@unittest.skipIf(ABSENT, f"scanpy is not installed: {ABSENT}")
class Scanpy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore")
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.sets = count_sets()
        for name, (counts, _) in cls.sets.items():
            scipy.sparse.save_npz(cls.folder / f"{name}.npz", counts)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def ours(self, name, *options):
        """The folder that `prepare` wrote."""
        out = self.folder / "out"
        done = subprocess.run([PROGRAM, "prepare", self.folder / f"{name}.npz", "-o", out, "--force",
                               "-q", *map(str, options)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def theirs(self, name):
        data = anndata.AnnData(self.sets[name][0].copy())
        scanpy.pp.filter_genes(data, min_cells=1)
        return data

    def assert_close(self, actual, expected, tolerance, scale):
        worst = np.max(np.abs(actual - expected) / scale)
        self.assertLessEqual(worst, tolerance)

    def each(self):
        for name in self.sets:
            with self.subTest(name):
                yield name

    def check_values(self, name, options, expected):
        out = self.ours(name, "--recipe", "none", "--normalize", "on", "--pca", "off", *options)
        actual = np.load(out / "features.npy")
        expected = np.asarray(expected.X.todense())
        self.assertEqual(actual.shape, expected.shape)
        self.assert_close(actual, expected, VALUES, np.maximum(np.abs(expected), 1e-300))

    def test_normalised_logs_are_equal(self):
        for name in self.each():
            data = self.theirs(name)
            scanpy.pp.normalize_total(data, target_sum=1e4)
            scanpy.pp.log1p(data)
            self.check_values(name, ["--target-sum", 10000, "--log1p", "on"], data)

    def test_totals_of_the_median_are_equal(self):
        for name in self.each():
            data = self.theirs(name)
            # scanpy 1.11 counts empty cells into the median of a sparse matrix, 1.12 does not.
            scanpy.pp.filter_cells(data, min_counts=1)
            scanpy.pp.normalize_total(data)
            self.check_values(name, ["--target-sum", 0, "--min-counts", 1], data)

    def test_totals_without_dominant_genes_are_equal(self):
        for name in self.each():
            data = self.theirs(name)
            scanpy.pp.normalize_total(data, target_sum=1, exclude_highly_expressed=True,
                                      max_fraction=0.1)
            self.check_values(name, ["--target-sum", 1, "--exclude-highly-expressed", "on",
                                     "--max-fraction", 0.1], data)

    def variable_genes(self, out):
        with open(out / "variable_genes.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return (np.array([float(row["score"]) for row in rows]),
                np.array([row["chosen"] == "1" for row in rows]))

    def test_seurat_v3_ranks_and_scores_are_equal(self):
        for name in self.each():
            chosen = self.sets[name][1]
            expected = scanpy.pp.highly_variable_genes(
                self.theirs(name), flavor="seurat_v3", n_top_genes=chosen, inplace=False)
            scores, _ = self.variable_genes(self.ours(name, "--recipe", "log", "--n-top-genes", chosen))
            wanted = expected["variances_norm"].to_numpy()
            self.assert_close(scores, wanted, V3_SCORES, np.maximum(wanted, 1e-300))
            # Genes of the same score may stand in any order there; here in that of the input.
            ranks = np.argsort(np.argsort(-scores, kind="stable"), kind="stable")
            theirs = expected["highly_variable_rank"].to_numpy()
            ranked = ~np.isnan(theirs)
            self.assertEqual(ranked.sum(), chosen)
            moved = ranks[ranked] != theirs[ranked]
            for gene in np.flatnonzero(ranked)[moved]:
                same = np.abs(wanted - wanted[gene]) <= V3_SCORES * wanted[gene]
                self.assertGreater(same.sum(), 1, f"gene {gene}")

    def test_seurat_chooses_the_same_genes(self):
        for name in self.each():
            chosen = self.sets[name][1]
            data = self.theirs(name)
            scanpy.pp.normalize_total(data, target_sum=1e4)
            scanpy.pp.log1p(data)
            expected = scanpy.pp.highly_variable_genes(data, flavor="seurat", n_top_genes=chosen,
                                                       inplace=False)
            scores, marks = self.variable_genes(
                self.ours(name, "--recipe", "log", "--hvg", "seurat", "--n-top-genes", chosen))
            wanted = expected["dispersions_norm"].to_numpy()
            np.testing.assert_array_equal(np.isnan(scores), np.isnan(wanted))
            self.assert_close(np.nan_to_num(scores), np.nan_to_num(wanted), SCORES, 1)
            np.testing.assert_array_equal(marks, expected["highly_variable"].to_numpy())

    def check_components(self, name, data, options, components):
        scanpy.pp.scale(data, max_value=10 if "--max-value" in options else None)
        scanpy.pp.pca(data, n_comps=components, svd_solver="covariance_eigh", dtype="float64",
                      mask_var=None)
        out = self.ours(name, "--n-pcs", components, *options)
        expected, actual = data.obsm["X_pca"], np.load(out / "features.npy")
        self.assertEqual(actual.shape, expected.shape)
        self.assert_close(actual, expected, COMPONENTS, np.abs(expected).max(0))
        loadings = np.load(out / "loadings.npy")
        self.assert_close(loadings, data.varm["PCs"], COMPONENTS, np.abs(loadings).max(0))
        with open(out / "variance.csv", encoding="utf-8", newline="") as file:
            ratios = [float(row["variance_ratio"]) for row in csv.DictReader(file)]
        np.testing.assert_allclose(ratios, data.uns["pca"]["variance_ratio"], rtol=1e-5)

    def test_components_of_the_recipe_log_are_equal(self):
        for name in self.each():
            chosen = self.sets[name][1]
            data = self.theirs(name)
            scanpy.pp.highly_variable_genes(data, flavor="seurat_v3", n_top_genes=chosen)
            scanpy.pp.normalize_total(data, target_sum=1e4)
            scanpy.pp.log1p(data)
            data = data[:, data.var["highly_variable"]].copy()
            self.check_components(name, data, ["--recipe", "log", "--n-top-genes", chosen,
                                             "--max-value", 10], 50)

    def test_components_of_the_recipe_m2st_are_equal(self):
        for name in self.each():
            data = self.theirs(name)
            scanpy.pp.normalize_total(data, target_sum=1, exclude_highly_expressed=True)
            self.check_components(name, data, ["--recipe", "m2st", "--exclude-highly-expressed", "on"],
                                  100)

    def test_genes_of_panels_are_all_counted(self):
        for name in set(self.sets) & {"xenium_breast_34k"}:
            data = self.theirs(name)
            scanpy.pp.normalize_total(data, target_sum=1)
            self.check_components(name, data, ["--recipe", "m2st"], 100)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
