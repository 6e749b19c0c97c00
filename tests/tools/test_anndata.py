"""Files that the program writes, in the hands of anndata and scanpy.

    python test_anndata.py PROGRAM SHARED_FOLDER

Skipped where anndata is not installed. Today's anndata is this Python's; 0.8 is Debian 12's, and
its test is skipped by name without it. No warning is allowed, but for those of importing.
"""

import importlib
import json
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

PROGRAM, SHARED = sys.argv[1], Path(sys.argv[2])
OLD_PYTHON = "/usr/bin/python3"
QUICK = ["-k", "4", "--epochs", "2", "--hidden", "16", "--heads", "2"]

try:
    import numpy as np
    import scipy.sparse

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anndata
    ABSENT = ""
except ImportError as error:
    ABSENT = str(error)

# What any anndata must see in a result, said by a process of its own.
LOOK = """
import sys, json, warnings
warnings.simplefilter("ignore")
import anndata
warnings.simplefilter("error")
data = anndata.read_h5ad(sys.argv[1])
domain = data.obs["domain"]
print(json.dumps({
    "cells": data.n_obs, "categories": list(domain.cat.categories), "ordered": bool(domain.cat.ordered),
    "codes": domain.cat.codes.tolist(), "embedding": list(data.obsm["X_m2st"].shape),
    "edges": int(data.obsp["spatial_connectivities"].nnz),
    "distances_key": data.uns["spatial_neighbors"]["distances_key"],
    "colours": len(data.uns["domain_colors"]), "seed": int(data.uns["m2st"]["seed"]),
    "losses": len(data.uns["m2st"]["losses"])}))
data.write_h5ad(sys.argv[2])
again = anndata.read_h5ad(sys.argv[2])
assert again.obs["domain"].tolist() == domain.tolist()
assert (again.obsm["X_m2st"] == data.obsm["X_m2st"]).all()
"""


def program(*words):
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result


def has_anndata_0_8():
    look = subprocess.run([OLD_PYTHON, "-c", "import anndata; print(anndata.__version__)"],
                          capture_output=True, text=True)
    return look.stdout.startswith("0.8.")


@unittest.skipIf(ABSENT, f"anndata is not installed: {ABSENT}")
class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.temporary.name)
        cls.source = cls.folder / "source.h5ad"
        random = np.random.default_rng(1)
        counts = scipy.sparse.csr_matrix(random.poisson(0.6, (400, 60)).astype(np.float32))
        data = anndata.AnnData(counts)
        data.obs_names = [f"cell {i}" for i in range(400)]
        data.obs["batch"] = np.array(["a", "b"] * 200)
        data.obs["batch"] = data.obs["batch"].astype("category")
        data.obsm["spatial"] = random.uniform(0, 100, (400, 2))
        data.uns["note"] = {"kept": "yes"}
        data.layers["raw"] = counts.copy()
        data.write_h5ad(cls.source)
        cls.out = cls.folder / "out"
        program("run", cls.source, *QUICK, "-o", cls.out)
        cls.result = cls.out / "result.h5ad"

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def look(self, python, path, environment=None):
        answer = subprocess.run([str(python), "-c", LOOK, str(path), str(self.folder / "again.h5ad")],
                                capture_output=True, text=True, env=environment)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        self.assertNotIn("Warning", answer.stderr)
        return json.loads(answer.stdout)

    def expect_seen(self, seen):
        manifest = json.loads((self.out / "manifest.json").read_text())
        rows = (self.out / "domains.csv").read_text().splitlines()[1:]
        self.assertEqual(seen["codes"], [int(row.split(",")[1]) for row in rows])
        self.assertEqual(seen["categories"], ["0", "1", "2", "3"])
        self.assertFalse(seen["ordered"])
        self.assertEqual(seen["embedding"], [400, 16 + 8])
        self.assertEqual(seen["edges"], manifest["graph"]["edges"])
        self.assertEqual(seen["distances_key"], "spatial_distances")
        self.assertEqual((seen["colours"], seen["seed"], seen["losses"]), (4, 0, 2))

    def test_todays_anndata_reads_and_rewrites_it_without_a_warning(self):
        self.expect_seen(self.look(sys.executable, self.result))

    @unittest.skipUnless(has_anndata_0_8(), "Debian's python3-anndata (0.8) is not installed")
    def test_anndata_0_8_reads_and_rewrites_it_without_a_warning(self):
        # It reads what anndata 0.8 wrote, so the source is of its own making.
        source = self.folder / "old.h5ad"
        code = ("import warnings; warnings.simplefilter('ignore'); import anndata, sys, numpy as np;"
                "x = np.random.default_rng(1).poisson(.6, (400, 60)).astype('f4');"
                "d = anndata.AnnData(x, dtype='f4');"
                "d.obsm['spatial'] = np.random.default_rng(2).uniform(0, 100, (400, 2));"
                "d.write_h5ad(sys.argv[1])")
        subprocess.run([str(OLD_PYTHON), "-c", code, str(source)], check=True)
        program("run", source, *QUICK, "-o", self.folder / "old")
        seen = self.look(OLD_PYTHON, self.folder / "old" / "result.h5ad")
        self.assertEqual((seen["cells"], seen["embedding"]), (400, [400, 24]))

    def test_what_was_there_stays(self):
        before, after = anndata.read_h5ad(self.source), anndata.read_h5ad(self.result)
        self.assertEqual(abs(before.X - after.X).nnz, 0)
        self.assertEqual(abs(before.layers["raw"] - after.layers["raw"]).nnz, 0)
        self.assertEqual(before.obs_names.tolist(), after.obs_names.tolist())
        self.assertEqual(before.obs["batch"].tolist(), after.obs["batch"].tolist())
        self.assertEqual(list(after.obs.columns), ["batch", "domain", "domain_confidence"])
        self.assertEqual(after.uns["note"], {"kept": "yes"})
        scales = [np.load(self.out / f"embedding_scale{m}.npy") for m in (1, 2)]
        np.testing.assert_array_equal(after.obsm["X_m2st"], np.hstack(scales))
        np.testing.assert_array_equal(after.obsm["X_m2st_s2"], scales[1])

    def test_in_place_changes_only_the_input(self):
        data = self.folder / "mine.h5ad"
        data.write_bytes(self.source.read_bytes())
        program("run", data, *QUICK, "-o", self.folder / "place", "--in-place")
        self.assertFalse((self.folder / "place" / "result.h5ad").exists())
        one, other = anndata.read_h5ad(data), anndata.read_h5ad(self.result)
        self.assertEqual(one.obs["domain"].tolist(), other.obs["domain"].tolist())

    def test_a_file_of_0_7_takes_results_and_opens_today(self):
        published = SHARED / "starmap_counts" / "starmap_BY3_1k.h5ad"
        if not published.exists():
            self.skipTest("starmap_counts is not in the shared folder")
        program("run", published, *QUICK, "-o", self.folder / "published")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the old layout, which is not ours
            before = anndata.read_h5ad(published)
            after = anndata.read_h5ad(self.folder / "published" / "result.h5ad")
        self.assertEqual(set(after.obs.columns) - set(before.obs.columns),
                         {"domain", "domain_confidence"})
        self.assertEqual(list(after.obs["domain"].cat.categories), ["0", "1", "2", "3"])
        for column in before.obs:
            self.assertEqual(before.obs[column].astype(str).tolist(),
                             after.obs[column].astype(str).tolist(), column)

    def test_converted_files_hold_what_was_read(self):
        program("convert", self.source, "--library-key", "batch", "-o", self.folder / "mtx")
        program("convert", self.folder / "mtx", "--coords", self.folder / "mtx" / "coords.csv", "-o",
                self.folder / "back.h5ad")
        before = anndata.read_h5ad(self.source)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            after = anndata.read_h5ad(self.folder / "back.h5ad")
        self.assertEqual(abs(before.X - after.X).nnz, 0)
        self.assertEqual(before.obs_names.tolist(), after.obs_names.tolist())
        self.assertEqual(before.var_names.tolist(), after.var_names.tolist())
        np.testing.assert_array_equal(before.obsm["spatial"], after.obsm["spatial"])

    def test_runs_on_a_folder_give_a_file_of_their_own(self):
        program("convert", self.source, "-o", self.folder / "tenx")
        program("run", self.folder / "tenx", "--coords", self.folder / "tenx" / "coords.csv", *QUICK,
                "-o", self.folder / "tenx_out")
        one = anndata.read_h5ad(self.folder / "tenx_out" / "result.h5ad")
        other = anndata.read_h5ad(self.result)
        self.assertEqual(abs(one.X - other.X).nnz, 0)
        self.assertEqual(one.obs["domain"].tolist(), other.obs["domain"].tolist())

    def test_stages_take_each_others_folders(self):
        program("prepare", self.source, "-o", self.folder / "prepared")
        program("run", self.folder / "prepared", *QUICK, "-o", self.folder / "from_prepared")
        program("embed", self.folder / "prepared", *QUICK[2:], "-o", self.folder / "embedded")
        program("graph", self.source, "-o", self.folder / "graph")
        program("cluster", "--embedding", self.folder / "embedded", "--features",
                self.folder / "prepared" / "features.npy", "--use-graph", self.folder / "graph",
                "--coords", self.folder / "prepared" / "coords.csv", "-k", "4", "-o",
                self.folder / "clustered")
        wanted = (self.out / "domains.csv").read_text()
        self.assertEqual((self.folder / "from_prepared" / "domains.csv").read_text(), wanted)
        self.assertEqual((self.folder / "clustered" / "domains.csv").read_text(), wanted)

    def test_graphs_from_obsp_are_taken(self):
        program("run", self.result, *QUICK, "--use-graph", "obsp/spatial_connectivities", "-o",
                self.folder / "own")
        wanted = np.load(self.out / "embedding_scale1.npy")
        np.testing.assert_array_equal(np.load(self.folder / "own" / "embedding_scale1.npy"), wanted)

    def test_connectivities_are_those_of_m2st_graph(self):
        options = ["--graph", "knn", "--graph-semantics", "squidpy", "--percentile", "95",
                   "--transform", "cosine", "--set-diag", "on"]
        program("graph", self.source, *options, "-o", self.folder / "weighted_graph")
        program("run", self.source, *QUICK, *options, "-o", self.folder / "weighted")
        after = anndata.read_h5ad(self.folder / "weighted" / "result.h5ad")
        for name, key in (("graph", "connectivities"), ("graph_distances", "distances")):
            wanted = scipy.sparse.load_npz(self.folder / "weighted_graph" / f"{name}.npz")
            self.assertEqual(after.obsp[f"spatial_{key}"].nnz, wanted.nnz)
            self.assertEqual(abs(after.obsp[f"spatial_{key}"] - wanted).max(), 0)
        parameters = after.uns["spatial_neighbors"]["params"]
        self.assertEqual((parameters["transform"], parameters["percentile"]), ("cosine", 95))

    def plotting_with(self, name):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                matplotlib, package = map(importlib.import_module, ("matplotlib", name))
        except ImportError as error:
            self.skipTest(f"{name} is not installed: {error}")
        matplotlib.use("Agg")
        return matplotlib, package

    def test_scanpy_plots_it(self):
        matplotlib, scanpy = self.plotting_with("scanpy")
        data = anndata.read_h5ad(self.result)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            axes = scanpy.pl.embedding(data, basis="spatial", color="domain", show=False)
            scanpy.pl.embedding(data, basis="m2st", color="domain_confidence", show=False)
        shown = {matplotlib.colors.to_hex(colour)
                 for colour in axes.collections[0].get_facecolors()}
        self.assertEqual(shown, set(data.uns["domain_colors"]))

    def test_squidpy_plots_it_with_its_graph(self):
        squidpy = self.plotting_with("squidpy")[1]
        data = anndata.read_h5ad(self.result)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            axes = squidpy.pl.spatial_scatter(data, shape=None, color="domain", return_ax=True,
                                              connectivity_key="spatial_connectivities")
            squidpy.gr.interaction_matrix(data, cluster_key="domain")
        legend = [text.get_text() for text in axes.get_legend().get_texts()]
        self.assertEqual(legend, ["0", "1", "2", "3"])
        self.assertEqual(data.uns["domain_interactions"].sum(),
                         data.obsp["spatial_connectivities"].nnz)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
