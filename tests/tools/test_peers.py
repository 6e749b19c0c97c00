"""The peers compute what the golden values say; so the ratio table compares equal work."""
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT.parent / "shared/golden"
sys.path.insert(0, str(ROOT / "bench"))


def has(module):
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True,
                          check=False).returncode == 0


@unittest.skipUnless(has("numpy"), "NumPy is not installed")
class PeersTest(unittest.TestCase):
    def check(self, script, folder):
        done = subprocess.run([sys.executable, ROOT / "bench" / script, "--check", folder],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_philox_gives_the_known_answers_of_random123(self):
        import draws
        zeros = [int(word[0]) for word in draws.philox(0, [0], 0, 0, 0)]
        self.assertEqual(zeros, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8])
        ones = 0xFFFFFFFF
        words = draws.philox(ones << 32 | ones, [ones], ones, ones, ones)
        self.assertEqual([int(word[0]) for word in words],
                         [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD])

    @unittest.skipUnless((GOLDEN / "cluster").is_dir(), "golden values are not there")
    def test_numpy_clustering_matches_golden_labels(self):
        self.check("peer_cluster.py", GOLDEN / "cluster")

    @unittest.skipUnless((GOLDEN / "tiny").is_dir(), "golden values are not there")
    @unittest.skipUnless(has("torch"), "PyTorch is not installed")
    def test_torch_autoencoder_matches_golden_values(self):
        self.check("peer_torch.py", GOLDEN / "tiny")


if __name__ == "__main__":
    unittest.main()
