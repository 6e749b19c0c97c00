"""tools/gpu_bundle.sh packs all that tools/gpu_check.sh runs: with programs that only say what they were
asked, and a CMake that makes nothing but those, so that neither compiler nor GPU is needed."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Any of the programs, by its name. It writes down that it ran, and what its caller reads.
PROGRAM = f"""#!{sys.executable}
import json, os, pathlib, sys, time
name, words = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
with open(os.environ["RAN"], "a") as ran:
    print(name, file=ran)
hangs = set(os.environ.get("HANGS", "").split())
options = dict(word.split("=", 1) for word in words if "=" in word)
out = pathlib.Path(words[words.index("-o") + 1]) if "-o" in words else None
if "--gtest_output" in options:
    cases = [dict(name="Claim", result="COMPLETED")]
    pathlib.Path(options["--gtest_output"].removeprefix("json:")).write_text(json.dumps(
        dict(tests=1, time="1s", testsuites=[dict(name="Suite", testsuite=cases)])))
elif "--benchmark_filter" in options:
    line = dict(run_name=name + "_cuda", aggregate_name="median", real_time=0.5, time_unit="ms")
    text = json.dumps(dict(benchmarks=[line]))
    out = pathlib.Path(options["--benchmark_out"])
    if name == os.environ.get("ABORTS"):
        out.write_text(text[:len(text) // 2])
        os.abort()
    if name in hangs:
        out.write_text(text[:len(text) // 2])
        time.sleep(1000)
    out.write_text(text)
elif words[0] == "run":
    if "cuda" in words and "NO_DEVICE" in os.environ:
        sys.exit(print("m2st: error: --device cuda: no NVIDIA driver", file=sys.stderr) or 7)
    if "cuda" in words and hangs & set(out.parts):
        time.sleep(1000)
    out.mkdir(parents=True, exist_ok=True)
    (out / "manifest.json").write_text(json.dumps(dict(
        data=dict(cells=1, features=1), training=dict(losses=[1.0] * 10),
        stages=[dict(stage="train", wall_seconds=1)])))
elif words[0] == "score":
    print(json.dumps(dict(ari=1.0)))
sys.exit(name == os.environ.get("FAILS"))
"""

# Builds the targets that it is given, and the kernels of two processors.
CMAKE = f"""#!{sys.executable}
import os, pathlib, sys
build = pathlib.Path("build/cuda-static")
targets = sys.argv[sys.argv.index("--target") + 1:] if "--target" in sys.argv else []
places = dict(test="tests", bench="bench")
for target in targets:
    program = build / places.get(target.split("_")[0], "") / target
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(pathlib.Path(os.environ["PROGRAM"]).read_text())
    program.chmod(0o755)
for place in ("lib", "lib/glibc-hwcaps/x86-64-v4"):
    (build / place).mkdir(parents=True, exist_ok=True)
    (build / place / "libm2st_kernels.so").write_text(place)
"""

STRIP = """#!/bin/sh
cp "$3" "$2"
"""

LDD = """#!/bin/sh
echo "  libc.so.6 => $LIBRARIES/libc.so.6 (0x1)"
echo "  liblzf.so.1 => $LIBRARIES/liblzf.so.1 (0x1)"
echo "  libm2st_kernels.so => $LIBRARIES/libm2st_kernels.so (0x1)"
"""


OBJDUMP = """#!/bin/sh
echo "0 DF *UND* 0 (GLIBC_2.4) a"
echo "0 DF *UND* 0 (GLIBC_2.34) b"
"""

SANITIZER = """#!/bin/sh
shift 4
exec "$@"
"""


class GpuBundleTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.tree, self.bundle = self.folder / "tree", self.folder / "bundle"
        shutil.copytree(ROOT / "tools", self.tree / "tools")
        (self.folder / "shared/golden/tiny").mkdir(parents=True)
        (self.folder / "shared/golden/tiny/golden.json").write_text("{}")
        for name, text in (("cmake", CMAKE), ("strip", STRIP), ("ldd", LDD), ("program", PROGRAM),
                           ("objdump", OBJDUMP), ("compute-sanitizer", SANITIZER)):
            self.write("commands/" + name, text)
        for name in ("libc.so.6", "liblzf.so.1", "libm2st_kernels.so"):
            self.write("libraries/" + name, name)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_script(self, script, *words, **environment):
        environment = dict(os.environ, RAN=str(self.folder / "ran"), JOBS="1",
                           PATH=f"{self.folder}/commands:{os.environ['PATH']}",
                           PROGRAM=str(self.folder / "commands/program"),
                           LIBRARIES=str(self.folder / "libraries"), **environment)
        return subprocess.run([script, *words], env=environment, capture_output=True, text=True,
                              check=False)

    def pack(self):
        done = self.run_script(self.tree / "tools/gpu_bundle.sh", str(self.bundle))
        self.assertEqual(done.returncode, 0, done.stderr)
        # From here on there are no compilers and no tree.
        self.write("commands/cmake", "#!/bin/sh\necho cmake >> \"$RAN\"\nexit 9\n")
        shutil.rmtree(self.tree)

    def check(self, **environment):
        return self.run_script(self.bundle / "tools/gpu_check.sh", **environment)

    def report(self):
        return json.loads((self.bundle / "build/gpu/report.json").read_text())

    def test_all_that_is_checked_is_packed_and_all_that_is_packed_is_checked(self):
        self.pack()
        done = self.check()
        gpu = self.bundle / "build/gpu"
        packed = {path.name for place in ("tests", "bench") for path in (gpu / place).iterdir()}
        ran = set((self.folder / "ran").read_text().split())
        report = self.report()

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(ran, packed | {"m2st"})
        self.assertTrue(report["passed"])
        self.assertEqual(set(report["tests"]), {name for name in ran if name.startswith("test")})
        self.assertEqual(set(report["benchmarks"]),
                         {name + "_cuda" for name in ran if name.startswith("bench")})
        self.assertEqual(report["machine"]["architectures"], "90-real")
        self.assertEqual(report["machine"]["needs"], "GLIBC_2.34")

    def test_libraries_go_along_but_not_glibc(self):
        self.pack()
        lib = self.bundle / "build/gpu/lib"
        self.assertEqual({str(path.relative_to(lib)) for path in lib.rglob("*.so*")},
                         {"liblzf.so.1", "libm2st_kernels.so",
                          "glibc-hwcaps/x86-64-v4/libm2st_kernels.so"})
        self.assertEqual((lib / "libm2st_kernels.so").read_text(), "lib")
        self.assertTrue((self.bundle / "shared/golden/tiny/golden.json").exists())

    def test_without_a_device_the_check_ends_with_7_and_one_line(self):
        self.pack()
        done = self.check(NO_DEVICE="1")
        self.assertEqual(done.returncode, 7)
        self.assertRegex(done.stderr, r"\Agpu_check: [^\n]*no NVIDIA driver\n\Z")

    def test_a_tree_without_a_gpu_is_not_built(self):
        for name, text in (("nvidia-smi", "exit 9"), ("nvcc", ""), ("cmake", "exit 9")):
            self.write("commands/" + name, f"#!/bin/sh\n{text}\n")
        done = self.run_script(self.tree / "tools/gpu_check.sh")
        self.assertEqual((done.returncode, done.stderr),
                         (7, "gpu_check: nvidia-smi finds no GPU\n"))

    def test_a_test_that_fails_fails_the_check(self):
        self.pack()
        done = self.check(FAILS="test_kernels_cuda")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(self.report()["complaints"], ["test_kernels_cuda: failed"])

    def test_a_benchmark_that_aborts_leaves_the_report(self):
        self.pack()
        done = self.check(ABORTS="bench_epoch")
        report = self.report()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual([complaint.split(":")[:2] for complaint in report["complaints"]],
                         [["bench_epoch", " failed"],
                          ["bench_epoch", " its results are cut off"]])
        self.assertIn("bench_kernels_cuda", report["benchmarks"])
        self.assertNotIn("bench_epoch_cuda", report["benchmarks"])

    def test_what_hangs_leaves_the_report(self):
        self.pack()
        done = self.check(HANGS="bench_epoch simulated_4000", MOST_SECONDS="5")
        report = self.report()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(report["complaints"][0], "bench_epoch: failed")
        self.assertIn("cut off", report["complaints"][1])
        self.assertEqual(report["complaints"][2:],
                         ["simulated_4000: cuda: no end within 5 seconds"])
        self.assertTrue(report["runs"]["simulated_42000"]["agrees"])
        self.assertIn("no end within 5 seconds",
                      (self.bundle / "build/gpu/logs/bench_epoch.log").read_text())

    def test_a_folder_that_is_no_bundle_is_left_alone(self):
        self.bundle.mkdir()
        (self.bundle / "thesis.txt").write_text("years of work")
        done = self.run_script(self.tree / "tools/gpu_bundle.sh", str(self.bundle))
        self.assertEqual(done.returncode, 2)
        self.assertEqual((self.bundle / "thesis.txt").read_text(), "years of work")


if __name__ == "__main__":
    unittest.main()
