#!/usr/bin/env python3
"""Makes delaunay_*.npy beside this script: points, and the edges (i < j) SciPy finds for them."""
import pathlib

import numpy
from scipy.spatial import Delaunay

HERE = pathlib.Path(__file__).parent


def edges(points):
    corners = Delaunay(points - points.mean(0)).simplices
    pairs = {tuple(sorted((int(t[a]), int(t[b])))) for t in corners
             for a in range(len(t)) for b in range(a)}
    return numpy.array(sorted(pairs), dtype=numpy.int32)


def save(name, points):
    numpy.save(HERE / f"delaunay_{name}_points.npy", points)
    numpy.save(HERE / f"delaunay_{name}_edges.npy", edges(points))


def main():
    random = numpy.random.default_rng(7)
    save("plane", random.random((300, 2)) * [1000, 400])
    save("solid", random.normal(size=(120, 3)))
    # Far from the origin: only centred coordinates give the right triangles.
    save("far", random.random((150, 2)) * 50 + 1e9)


if __name__ == "__main__":
    main()
