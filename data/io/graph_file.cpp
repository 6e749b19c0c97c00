#include "data/io/graph_file.h"

#include <algorithm>
#include <filesystem>

#include "data/io/npy.h"
#include "data/io/sparse_npz.h"
#include "data/io/zip_archive.h"
#include "engine/check.h"

namespace m2st::data {

namespace {

template <class T>
std::string column_npy(const std::vector<T>& values) {
  const auto rows = static_cast<std::int64_t>(values.size());
  return npy_bytes<T>(MatrixView<const T>{values.data(), rows, 1}, true);
}

template <class T>
std::vector<T> column(CpuContext& context, const InputFile& file) {
  const Matrix<T> values = read_npy<T>(context, file);
  return {values.span().begin(), values.span().end()};
}

Adjacency read_folder(CpuContext& context, const std::string& folder) {
  const InputFile offsets(folder + "/graph_indptr.npy");
  const InputFile ends(folder + "/graph_indices.npy");
  return {column<std::int64_t>(context, offsets), column<std::int32_t>(context, ends)};
}

// Leaves out entries of value 0.
void drop_zeros(const std::vector<double>& values, const std::string& path, Adjacency& graph) {
  if (values.size() != graph.neighbours.size()) {
    fail(ExitCode::kInputInvalid, path, ": has ", values.size(), " values for ",
         graph.neighbours.size(), " entries; the file is damaged");
  }
  if (std::find(values.begin(), values.end(), 0) == values.end()) return;
  std::vector<std::int64_t> kept(values.size() + 1);
  for (std::size_t e = 0; e < values.size(); ++e) {
    kept[e + 1] = kept[e] + (values[e] != 0 ? 1 : 0);
    if (values[e] != 0) graph.neighbours[kept[e]] = graph.neighbours[e];
  }
  for (std::int64_t& offset : graph.offsets) {
    if (offset < 0 || offset >= static_cast<std::int64_t>(kept.size())) {
      fail(ExitCode::kInputInvalid, path, ": a row offset is ", offset, ", beyond its ",
           values.size(), " entries; the file is damaged");
    }
    offset = kept[offset];
  }
  graph.neighbours.resize(static_cast<std::size_t>(kept.back()));
}

Adjacency read_archive(CpuContext& context, const std::string& path) {
  const ZipArchive archive(path);
  if (!archive.holds("format.npy") || !archive.holds("indptr.npy")) {
    fail(ExitCode::kInputInvalid, path, ": is no sparse matrix in rows; write the graph with ",
         "scipy.sparse.save_npz(file, graph.tocsr())");
  }
  const std::string form = npz_format(archive);
  if (form != "csr" && form != "csc") {
    fail(ExitCode::kInputInvalid, path, ": is neither a CSR nor a CSC matrix; write the graph ",
         "with scipy.sparse.save_npz(file, graph.tocsr())");
  }
  const auto shape = column<std::int64_t>(context, archive.open("shape.npy"));
  if (shape.size() != 2 || shape[0] != shape[1]) {
    fail(ExitCode::kInputInvalid, path, ": is a matrix of ", shape.empty() ? 0 : shape[0], " x ",
         shape.size() < 2 ? 0 : shape[1], ", but a graph is square: one row and one column a cell");
  }
  Adjacency graph{column<std::int64_t>(context, archive.open("indptr.npy")),
                  column<std::int32_t>(context, archive.open("indices.npy"))};
  drop_zeros(column<double>(context, archive.open("data.npy")), path, graph);
  if (graph.nodes() != shape[0]) {
    fail(ExitCode::kInputInvalid, path, ": has offsets of ", graph.nodes(), " rows, but ", shape[0],
         " rows; the file is damaged");
  }
  return graph;
}

}  // namespace

Adjacency read_graph(CpuContext& context, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_folder(context, path);
  return read_archive(context, path);
}

template <class T>
std::string graph_npz(const Adjacency& adjacency, const std::vector<T>& values) {
  M2ST_CHECK(values.size() == adjacency.neighbours.size(), "graph_npz: values (got ", values.size(),
             ", need ", adjacency.neighbours.size(), ")");
  // SciPy wants both index arrays of one type.
  const std::vector<std::int64_t> ends(adjacency.neighbours.begin(), adjacency.neighbours.end());
  const std::vector<std::int64_t> shape(2, adjacency.nodes());
  std::string format = npy_bytes<float>({nullptr, 0, 1}, true);
  format.replace(format.find("'<f4'"), 5, "'|S3'");
  format.replace(format.find("(0,)"), 4, "()  ");
  return zip_bytes({{"indices.npy", column_npy(ends)},
                    {"indptr.npy", column_npy(adjacency.offsets)},
                    {"format.npy", format + "csr"},
                    {"shape.npy", column_npy(shape)},
                    {"data.npy", column_npy(values)}});
}

template std::string graph_npz<float>(const Adjacency&, const std::vector<float>&);
template std::string graph_npz<double>(const Adjacency&, const std::vector<double>&);

}  // namespace m2st::data
