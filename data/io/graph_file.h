// Spatial graphs in files: SciPy's sparse .npz, and the pair of .npy that `graph` writes.
#pragma once

#include <string>
#include <vector>

#include "data/graph/graph.h"
#include "engine/cpu_context.h"

namespace m2st::data {

// A folder with graph_indptr.npy and graph_indices.npy, or an .npz that scipy.sparse.save_npz wrote
// (CSR or CSC; entries of value 0 are no edges). Rows as they are in the file: fit_graph is next.
// Exit codes: 3 missing, 4 not square, of another layout, damaged.
Adjacency read_graph(CpuContext& context, const std::string& path);

// The .npz that scipy.sparse.load_npz reads as a CSR matrix (N, N). values: one an edge.
template <class T>
std::string graph_npz(const Adjacency& adjacency, const std::vector<T>& values);

}  // namespace m2st::data
