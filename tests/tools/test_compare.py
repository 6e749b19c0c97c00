"""bench/compare.py finds what is slower beyond noise, and nothing else."""
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import compare  # noqa: E402


def benchmarks_json(times):
    """What Google Benchmark writes for {name: seconds}, in mixed units, with aggregates."""
    runs = []
    for number, (name, seconds) in enumerate(times.items()):
        unit, factor = [("ns", 1e9), ("ms", 1e3)][number % 2]
        for value in seconds:
            runs.append(dict(name=name + "/repeats", run_name=name, run_type="iteration",
                             real_time=value * factor, time_unit=unit))
        runs.append(dict(name=name + "_mean", run_name=name, run_type="aggregate",
                         real_time=1e6, time_unit=unit))
    return json.dumps(dict(context={}, benchmarks=runs))


class CompareTest(unittest.TestCase):
    def run_compare(self, old, new, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / name for name in ("old.json", "new.json")]
            for path, times in zip(paths, (old, new)):
                path.write_text(benchmarks_json(times))
            return subprocess.run([sys.executable, ROOT / "bench/compare.py", *paths, *options],
                                  capture_output=True, text=True, check=False)

    def test_chance_is_the_share_of_orders_counted_one_by_one(self):
        old, new = [1.0, 2.0, 5.0], [3.0, 6.0, 4.0]
        pooled = old + new
        observed = sum(b <= a for a in old for b in new)
        splits = list(itertools.combinations(range(6), 3))
        as_sure = 0
        for split in splits:
            first = [pooled[i] for i in split]
            second = [pooled[i] for i in range(6) if i not in split]
            as_sure += sum(b <= a for a in first for b in second) <= observed
        self.assertAlmostEqual(compare.chance_of_slower(old, new), as_sure / len(splits))

    def test_holm_multiplies_by_what_is_left_and_never_falls(self):
        self.assertEqual(compare.holm([0.02, 0.01, 0.5]), [0.04, 0.03, 0.5])

    def test_clear_slowdown_exits_with_1(self):
        old = {"a": [1.00, 1.01, 0.99, 1.02, 1.00, 1.01], "b": [2.0] * 6}
        new = {"a": [1.20, 1.21, 1.19, 1.22, 1.20, 1.21], "b": [2.0] * 6}
        done = self.run_compare(old, new)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^a .* 1\.2\d* .*SLOWER$")
        self.assertNotRegex(done.stdout, r"(?m)^b .*(SLOWER|faster)$")

    def test_speedup_exits_with_0(self):
        old, new = {"a": [1.2, 1.21, 1.19, 1.22, 1.2]}, {"a": [1.0, 1.01, 0.99, 1.02, 1.0]}
        done = self.run_compare(old, new)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("faster", done.stdout)

    def test_noise_with_a_larger_median_is_not_a_slowdown(self):
        old = {"a": [1.0, 1.6, 1.1, 1.7, 1.05]}
        new = {"a": [1.6, 1.0, 1.7, 1.05, 1.65]}
        self.assertEqual(self.run_compare(old, new).returncode, 0)

    def test_sure_but_tiny_growth_is_below_the_threshold(self):
        old, new = {"a": [1.000 + i * 1e-5 for i in range(9)]}, {
            "a": [1.010 + i * 1e-5 for i in range(9)]}
        self.assertEqual(self.run_compare(old, new).returncode, 0)
        self.assertEqual(self.run_compare(old, new, "--threshold", "0.005").returncode, 1)

    def test_one_lucky_order_among_many_benchmarks_is_no_alarm(self):
        old = {f"b{i}": [1.0, 1.1, 1.2, 1.3] for i in range(40)}
        new = dict(old, b7=[1.5, 1.6, 1.7, 1.8])
        done = self.run_compare(old, new)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("cannot tell", done.stderr)

    def test_nothing_in_common_exits_with_2(self):
        self.assertEqual(self.run_compare({"a": [1.0]}, {"b": [1.0]}).returncode, 2)


if __name__ == "__main__":
    unittest.main()
