#!/usr/bin/env python3
"""Makes tests/golden/metrics/metrics.json: a small data set and what scikit-learn says of it.

Run with any scikit-learn >= 1.0; the file in the tree was made with 1.2.1. CHAOS and PAS follow
SDMBench's definitions, here through scikit-learn's scaler and neighbours.
"""
import json
import pathlib

import numpy as np
from sklearn import metrics
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

CELLS, WIDTH, CLASSES, CLUSTERS = 97, 5, 4, 6


def chaos(coordinates, labels):
    scaled = StandardScaler().fit_transform(coordinates)
    total = 0.0
    for label in np.unique(labels):
        domain = scaled[labels == label]
        if len(domain) > 2:
            distances, _ = NearestNeighbors(n_neighbors=2).fit(domain).kneighbors(domain)
            total += distances[:, 1].sum()
    return total / len(labels)


def pas(coordinates, labels):
    _, found = NearestNeighbors(n_neighbors=11).fit(coordinates).kneighbors(coordinates)
    return float(((labels[found[:, 1:]] != labels[:, None]).sum(1) > 5).mean())


def main():
    random = np.random.default_rng(20)
    truth = random.integers(CLASSES, size=CELLS)
    labels = np.where(random.random(CELLS) < 0.7, truth, random.integers(CLUSTERS, size=CELLS))
    labels[0] = CLUSTERS  # a cluster of one cell
    features = (3 * random.normal(size=(CLASSES, WIDTH))[truth] + random.normal(size=(CELLS, WIDTH)))
    features = features.astype(np.float32)
    coordinates = np.round(random.random((CELLS, 2)) * [1000, 300] + truth[:, None] * 100, 2)
    exact = features.astype(np.float64)

    def nmi(mean):
        return metrics.normalized_mutual_info_score(truth, labels, average_method=mean)

    golden = {
        "truth": truth.tolist(),
        "labels": labels.tolist(),
        "features": exact.tolist(),
        "coordinates": coordinates.tolist(),
        "ari": metrics.adjusted_rand_score(truth, labels),
        "nmi_max": nmi("max"),
        "nmi_arithmetic": nmi("arithmetic"),
        "nmi_geometric": nmi("geometric"),
        "homogeneity": metrics.homogeneity_score(truth, labels),
        "completeness": metrics.completeness_score(truth, labels),
        "silhouette": metrics.silhouette_score(exact, labels),
        "silhouette_squared": metrics.silhouette_score(exact, labels, metric="sqeuclidean"),
        "davies_bouldin": metrics.davies_bouldin_score(exact, labels),
        "calinski_harabasz": metrics.calinski_harabasz_score(exact, labels),
        "chaos": chaos(coordinates, labels),
        "pas": pas(coordinates, labels),
    }
    path = pathlib.Path(__file__).parent / "metrics" / "metrics.json"
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
