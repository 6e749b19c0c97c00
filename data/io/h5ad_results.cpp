// Names as squidpy's Key.obsp.spatial_conn, Key.uns.spatial_neighs and scanpy's plots expect them.
#include "data/io/h5ad_results.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <type_traits>

#include "data/io/h5ad_base.h"
#include "data/io/h5ad_frame.h"
#include "data/io/h5ad_writer.h"
#include "data/io/own_process.h"
#include "engine/check.h"
#include "engine/whole_file.h"

namespace m2st::data {

namespace {

// Far longer than any disk takes; a damaged file may hang the library.
constexpr double kPatience = 120, kSlowestBytesPerSecond = 8e6;
constexpr double kLongest = 1e6;  // where nothing has to be trusted

// SciPy wants both index arrays of one type.
struct MatrixIndices {
  std::vector<std::int64_t> offsets64, ends64;
  std::vector<std::int32_t> offsets32;
};

// Values that live until the writer has compared them.
struct Columns {
  std::vector<std::int8_t> short_codes;
  std::vector<std::int32_t> codes;
  std::vector<float> joint;
  std::vector<float> ones;
  MatrixIndices connectivities, distances;
};

std::vector<std::string> category_names(int domains) {
  std::vector<std::string> names;
  for (int k = 0; k < domains; ++k) names.push_back(std::to_string(k));
  return names;
}

// pandas takes the narrowest integers that hold the codes.
void write_codes(H5adWriter& writer, const std::string& path, const H5adResults& results,
                 Columns& columns) {
  const auto rows = static_cast<std::int64_t>(results.labels.size());
  if (results.domains <= 127) {
    columns.short_codes.assign(results.labels.begin(), results.labels.end());
    writer.array<std::int8_t>(path, columns.short_codes, {rows});
  } else {
    columns.codes.assign(results.labels.begin(), results.labels.end());
    writer.array<std::int32_t>(path, columns.codes, {rows});
  }
}

void write_categorical(H5adWriter& writer, const std::string& key, bool old_frame,
                       const H5adResults& results, Columns& columns) {
  const std::string path = "/obs/" + key;
  if (old_frame) {
    // Before 0.8 codes refer to categories that lie beside the columns.
    writer.need_group("/obs/__categories");
    const std::string categories = "/obs/__categories/" + key;
    writer.texts(categories, category_names(results.domains));
    writer.flag_attribute(categories, "ordered", false);
    write_codes(writer, path, results, columns);
    writer.reference(path, "categories", categories);
    return;
  }
  writer.group(path, "categorical", "0.2.0");
  writer.flag_attribute(path, "ordered", false);
  write_codes(writer, path + "/codes", results, columns);
  writer.texts(path + "/categories", category_names(results.domains));
}

// Scales side by side.
void write_embeddings(H5adWriter& writer, const H5adResults& results, Columns& columns) {
  if (results.embeddings.empty()) return;
  writer.need_dictionary("/obsm");
  std::int64_t width = 0;
  for (std::size_t m = 0; m < results.embeddings.size(); ++m) {
    const MatrixView<const float>& scale = results.embeddings[m];
    width += scale.cols;
    writer.array<float>("/obsm/X_m2st_s" + std::to_string(m + 1), scale.span(),
                        {scale.rows, scale.cols});
  }
  const std::int64_t rows = results.embeddings.front().rows;
  columns.joint.reserve(static_cast<std::size_t>(rows * width));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (const MatrixView<const float>& scale : results.embeddings) {
      const Span<const float> row = scale.row(i);
      columns.joint.insert(columns.joint.end(), row.begin(), row.end());
    }
  }
  writer.array<float>("/obsm/X_m2st", columns.joint, {rows, width});
}

void write_fact(H5adWriter& writer, const std::string& path, const Fact& fact) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          writer.flag(path, value);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          writer.integer(path, value);
        } else if constexpr (std::is_same_v<T, double>) {
          writer.number(path, value);
        } else if constexpr (std::is_same_v<T, std::string>) {
          writer.text(path, value);
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          writer.array<double>(path, value, {static_cast<std::int64_t>(value.size())});
        } else {
          writer.texts(path, value);
        }
      },
      fact);
}

void write_facts(H5adWriter& writer, const std::string& path, const Facts& facts) {
  writer.group(path, "dict", "0.1.0");
  for (const auto& [name, fact] : facts) write_fact(writer, path + "/" + name, fact);
}

template <class T>
void write_matrix(H5adWriter& writer, const std::string& path, const Adjacency& graph,
                  Span<const T> values, MatrixIndices& indices) {
  const std::vector<std::int64_t> shape(2, graph.nodes());
  const auto edges = static_cast<std::int64_t>(graph.neighbours.size());
  writer.group(path, "csr_matrix", "0.1.0");
  writer.attribute(path, "shape", Span<const std::int64_t>(shape));
  writer.array<T>(path + "/data", values, {edges});
  if (edges <= std::numeric_limits<std::int32_t>::max()) {
    indices.offsets32.assign(graph.offsets.begin(), graph.offsets.end());
    writer.array<std::int32_t>(path + "/indices", graph.neighbours, {edges});
    writer.array<std::int32_t>(path + "/indptr", indices.offsets32, {graph.nodes() + 1});
  } else {
    indices.offsets64 = graph.offsets;
    indices.ends64.assign(graph.neighbours.begin(), graph.neighbours.end());
    writer.array<std::int64_t>(path + "/indices", indices.ends64, {edges});
    writer.array<std::int64_t>(path + "/indptr", indices.offsets64, {graph.nodes() + 1});
  }
}

void write_graph(H5adWriter& writer, const std::string& prefix, const H5adResults& results,
                 Columns& columns) {
  if (results.graph == nullptr) return;
  const Adjacency& graph = *results.graph;
  const std::string connectivities = prefix + "_connectivities", distances = prefix + "_distances";
  writer.need_dictionary("/obsp");
  if (results.connectivities != nullptr) {
    write_matrix<float>(writer, "/obsp/" + connectivities, results.connectivities->adjacency,
                        results.connectivities->weights, columns.connectivities);
  } else {
    columns.ones.assign(graph.neighbours.size(), 1);
    write_matrix<float>(writer, "/obsp/" + connectivities, graph, columns.ones,
                        columns.connectivities);
  }
  const bool has_distances = results.distances.size() == graph.neighbours.size();
  if (has_distances) {
    write_matrix<double>(writer, "/obsp/" + distances, graph, results.distances, columns.distances);
  }
  const std::string about = "/uns/" + prefix + "_neighbors";
  writer.group(about, "dict", "0.1.0");
  writer.text(about + "/connectivities_key", connectivities);
  if (has_distances) writer.text(about + "/distances_key", distances);
  write_facts(writer, about + "/params", results.graph_facts);
}

void add_column(std::vector<std::string>& order, const std::string& name) {
  if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
}

// How the file at `path` stores obs.
struct Frame {
  bool old = false;
  std::vector<std::string> columns;
};

Frame frame_of(const std::string& path) {
  Hdf5Source source(path);
  Frame frame;
  frame.old = source.object("/obs").text("encoding-version") != "0.2.0";
  const Hdf5Attribute* order = source.object("/obs").attribute("column-order");
  frame.columns = order != nullptr && order->values == Hdf5Values::kText
                      ? order->texts
                      : H5adFrame(source, "/obs").columns();
  return frame;
}

void add_results(H5adWriter& writer, Frame frame, const H5adPlaces& places,
                 const H5adResults& results) {
  Columns columns;
  writer.need_dictionary("/uns");
  if (!results.labels.empty()) {
    write_categorical(writer, places.key, frame.old, results, columns);
    add_column(frame.columns, places.key);
    if (!results.confidence.empty()) {
      const std::string confidence = places.key + "_confidence";
      writer.array<float>("/obs/" + confidence, results.confidence,
                          {static_cast<std::int64_t>(results.confidence.size())});
      add_column(frame.columns, confidence);
    }
    writer.attribute("/obs", "column-order", frame.columns);
    writer.texts("/uns/" + places.key + "_colors", results.colours);
  }
  write_embeddings(writer, results, columns);
  write_graph(writer, places.graph, results, columns);
  Facts facts = results.facts;
  if (!results.labels.empty()) facts.emplace_back("domain_key", places.key);
  if (results.graph != nullptr) facts.emplace_back("graph_key", places.graph);
  if (!facts.empty()) write_facts(writer, "/uns/m2st", facts);
  writer.verify();
}

double patience_for(const std::string& path) {
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(path, ignored);
  return kPatience + (ignored ? 0 : static_cast<double>(bytes) / kSlowestBytesPerSecond);
}

}  // namespace

bool takes_results(const std::string& source) {
  Hdf5Source file(source);
  return file.object("/obs").is_group();
}

H5adPlaces h5ad_places(const std::string& source, const H5adResults& results) {
  Hdf5Source file(source);
  const H5adFrame obs(file, "/obs");
  const auto rows = static_cast<std::int64_t>(results.labels.size());
  if (!results.labels.empty() && obs.rows() != rows) {
    fail(ExitCode::kInputInvalid, source, ": has ", obs.rows(), " cells, but there are results of ",
         rows);
  }
  const auto said = [&](const std::string& name) {
    const std::string path = "/uns/m2st/" + name;
    if (!file.object(path).is_dataset()) return std::string();
    const std::vector<std::string> texts = file.texts(path);
    return texts.size() == 1 ? texts[0] : std::string();
  };
  H5adPlaces places;
  places.key = results.key;
  const bool taken = obs.has(places.key) || obs.has(places.key + "_confidence");
  if (taken && said("domain_key") != places.key) {
    places.warnings.push_back(concat(source, ": obs/", places.key, " is there already and is ",
                                     "kept; domains are in obs/m2st_", places.key));
    places.key = "m2st_" + places.key;
  }
  const bool graph_taken = file.object("/obsp").has_child("spatial_connectivities") ||
                           file.object("/obsp").has_child("spatial_distances");
  if (results.graph != nullptr && graph_taken && said("graph_key") != places.graph) {
    places.warnings.push_back(concat(source, ": obsp/spatial_connectivities is there already and ",
                                     "is kept; the graph is in obsp/m2st_connectivities"));
    places.graph = "m2st";
  }
  return places;
}

void write_results(const std::string& source, const std::string& target, const H5adPlaces& places,
                   const H5adResults& results) {
  // Of a link its target is what is replaced.
  std::error_code ignored;
  const bool same = std::filesystem::equivalent(source, target, ignored);
  PartialFile file(same ? std::filesystem::canonical(target).string() : target);
  file.copy_from(source);
  const Frame frame = frame_of(file.path());
  in_own_process(source, patience_for(source), ExitCode::kInputInvalid, [&] {
    H5adWriter writer(file.path(), Hdf5Access::kEdit);
    add_results(writer, frame, places, results);
  });
  if (same) file.take_permissions_of(source);
  file.commit();
}

void write_new(const Expression& expression, const std::string& target, const H5adPlaces& places,
               const H5adResults& results) {
  PartialFile file(target);
  in_own_process(target, kLongest, ExitCode::kOutput, [&] {
    H5adWriter writer(file.path(), Hdf5Access::kCreate);
    const H5adBase base(writer, expression);
    add_results(writer, {false, base.obs_columns()}, places, results);
  });
  file.commit();
}

}  // namespace m2st::data
