#!/usr/bin/env python3
"""The reference clustering of m2ST in NumPy: what `--method reference` is measured against.

Every variable of eq. 12 is held and updated in the reference code's order, with one matrix
expression an update, as the MATLAB original would have it. Cells are columns. Start values are the
engine's (draws.py), so labels must be the engine's wherever no tie is closer than rounding. Prints
one JSON line: seconds of the clustering, weights, sizes, peak resident memory. `--check FOLDER`
compares with golden labels instead.
"""
import argparse
import json
import os
import resource
import sys
import time

import numpy as np

import draws

KEY = draws.stream_of(draws.CLUSTER, 1 << 16)  # of cluster/reference_state.cpp


def scaled(data):
    """Each column to [0, 1]; a constant one becomes 0."""
    data = np.asarray(data, np.float64)
    low, extent = data.min(0), np.ptp(data, 0)
    return (data - low) / np.where(extent > 0, extent, 1)


def clean(x):
    return np.nan_to_num(x, nan=0.0, posinf=1e5, neginf=-1e5)


def normalised(x):
    """Rows of length 1; a zero row stays."""
    x = clean(x)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1)


class State:
    """S, P, W, V of every view; H and its V; labels. The engine's start values."""

    def __init__(self, views, clusters, specific_dim, common_dim, seed):
        cells, self.array, self.seed = len(views[0]), 0, seed
        common_dim = common_dim or clusters
        self.S, self.P, self.W, self.V = [], [], [], []
        for view in views:
            width = min(specific_dim, view.shape[1], cells)
            basis, upper = np.linalg.qr(self.uniform(width, cells).T)
            self.S.append((basis * np.sign(np.diag(upper))).T)
            self.P.append(self.uniform(width, view.shape[1]))
            self.W.append(self.uniform(common_dim, view.shape[1]))
            self.V.append(self.uniform(width, clusters))
        self.H = self.uniform(common_dim, cells)
        self.V.append(self.uniform(common_dim, clusters))
        self.labels = draws.index(seed, KEY, clusters, np.arange(cells), epoch=self.array)

    def uniform(self, rows, cols):
        number = self.array
        self.array += 1
        ids = np.arange(cols)
        return np.stack([draws.uniform(self.seed, KEY, ids, i, number) for i in range(rows)])


def iterate(state, views, clusters, lambda1, lambda2, lambda3):
    """One iteration of notes 'the clustering (eq. 12)': weights, then view by view, then H, U."""
    U = np.eye(clusters)[:, state.labels]
    latent = state.S + [state.H]
    norms = [np.linalg.norm(X - V @ U, 2) ** 2 for X, V in zip(latent, state.V)]
    weights = np.exp(-lambda2 * np.array(norms))
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(norms), 1 / len(norms))

    def centres(alpha, X, V):
        middle = alpha * U @ U.T + lambda3 * V.T @ V - lambda3 * np.eye(clusters)
        return clean(alpha * X @ U.T @ np.linalg.pinv(clean(middle), rcond=rcond(middle)))

    for m, D in enumerate(views):
        P, W, alpha = state.P[m], state.W[m], weights[m]
        left = (lambda1 + alpha) * np.eye(len(P)) + P @ P.T
        S = normalised(np.linalg.solve(
            left, P @ D.T - P @ W.T @ state.H + alpha * state.V[m] @ U))
        P = normalised(np.linalg.solve(S @ S.T, S @ D - S @ state.H.T @ W))
        H = state.H
        W = normalised(np.linalg.solve(H @ H.T, H @ D - H @ S.T @ P))
        state.S[m], state.P[m], state.W[m] = S, P, W
        state.V[m] = centres(alpha, S, state.V[m])
    alpha = weights[-1]
    left = (lambda1 + alpha) * np.eye(len(state.H)) + sum(W @ W.T for W in state.W)
    right = sum(W @ D.T - W @ P.T @ S for D, S, P, W in zip(views, state.S, state.P, state.W))
    state.H = normalised(np.linalg.solve(left, right + alpha * state.V[-1] @ U))
    state.V[-1] = centres(alpha, state.H, state.V[-1])
    distances = 0
    for weight, X, V in zip(weights, state.S + [state.H], state.V):
        squares = (V * V).sum(0)[:, None] - 2 * V.T @ X + (X * X).sum(0)
        distances = distances + weight * squares
    state.labels = distances.argmin(0)
    return weights


def rcond(matrix):
    """MATLAB's rule for pinv."""
    return max(matrix.shape) * np.finfo(np.float64).eps


def cluster(views, args):
    state = State(views, args.domains, args.specific_dim, args.common_dim, args.seed)
    weights = None
    for _ in range(args.iterations):
        weights = iterate(state, views, args.domains, args.lambda1, args.lambda2, args.lambda3)
    return state.labels, weights


def check(folder):
    """Labels of twenty iterations from golden start values; exit 1 when one differs."""
    with open(os.path.join(folder, "golden.json"), encoding="utf-8") as file:
        golden = json.load(file)

    def load(name):
        return np.load(os.path.join(folder, name + ".npy"))

    count = golden["views"]
    views = [scaled(load(f"data{m}")) for m in range(count)]
    state = State(views, golden["clusters"], golden["spec_dim"], golden["common_dim"], 0)
    state.S, state.P, state.W = ([load(f"init.{x}{m}") for m in range(count)] for x in "SPW")
    state.V = [load(f"init.V{m}") for m in range(count + 1)]
    state.H, state.labels = load("init.H"), load("init.labels").astype(np.int64).ravel()
    different, worst = 0, 0.0
    for number, want in enumerate(golden["iterations"], 1):
        weights = iterate(state, views, golden["clusters"], golden["lambda1"], golden["lambda2"],
                          golden["lambda3"])
        worst = max(worst, np.abs(weights - want["weights"]).max())
        if os.path.exists(os.path.join(folder, f"iter{number}.labels.npy")):
            different += int((state.labels != load(f"iter{number}.labels").ravel()).sum())
    print(json.dumps(dict(different_labels=different, worst_weight_error=worst)))
    return 0 if different == 0 and worst < 1e-8 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedding", action="append", default=[], help=".npy, one per scale")
    parser.add_argument("-k", "--domains", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--lambda1", type=float, default=100)
    parser.add_argument("--lambda2", type=float, default=1e-5)
    parser.add_argument("--lambda3", type=float, default=0.1)
    parser.add_argument("--specific-dim", type=int, default=40)
    parser.add_argument("--common-dim", type=int, default=0, help="0: as many as domains")
    parser.add_argument("--out", help="file for the labels, one a line")
    parser.add_argument("--check", metavar="FOLDER", help="golden values to compare with")
    args = parser.parse_args()
    if args.check:
        return check(args.check)
    views = [np.load(path) for path in args.embedding]
    if not views:
        parser.error("--embedding is needed")
    start = time.perf_counter()
    labels, weights = cluster([scaled(view) for view in views], args)
    seconds = time.perf_counter() - start
    if args.out:
        np.savetxt(args.out, labels, fmt="%d")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(dict(cells=len(labels), seconds=seconds, weights=list(weights),
                          sizes=np.bincount(labels, minlength=args.domains).tolist(),
                          peak_resident_bytes=peak)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
