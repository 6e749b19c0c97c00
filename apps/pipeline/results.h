// The files that a run leaves, in the order of its input.
#pragma once

#include <string>
#include <vector>

#include "apps/pipeline/dataset.h"
#include "apps/pipeline/output_folder.h"
#include "cluster/domain_count.h"
#include "cluster/domains.h"
#include "data/graph/spatial_graph.h"
#include "engine/array.h"

namespace m2st::apps {

// graph_indptr.npy (int64) and graph_indices.npy (int32), CSR without self loops; its
// connectivities as graph.npz for SciPy, and graph_distances.npz.
void write_graph(CpuContext& context, OutputFolder& folder, const data::SpatialGraph& graph,
                 const data::SpatialGraphOptions& options, MatrixView<const double> coordinates);

// A field as RFC 4180 has it: quoted only where it must be.
std::string csv_field(const std::string& text);

// `cell,x,y[,z]`, and `cell,HEADER` of one name a cell.
std::string coordinates_csv(const std::vector<std::string>& cells,
                            MatrixView<const double> coordinates);
std::string names_csv(const std::string& header, const std::vector<std::string>& cells,
                      const std::vector<std::string>& names);

// embedding_scale1.npy, ...: float32 (N, d_m).
void write_embeddings(OutputFolder& folder, const std::vector<Matrix<float>>& embeddings);

// domains.csv, and domains.svg where there are coordinates.
void write_domains(OutputFolder& folder, const Dataset& dataset,
                   const cluster::DomainResult& domains);

// `cell,domain[,confidence]`; cells without names are counted from 0.
std::string domains_csv(const std::vector<std::string>& cells,
                        const cluster::DomainResult& domains);

// `domains,log_likelihood,criterion`, one row a number of domains that was tried.
std::string domain_counts_csv(const cluster::DomainCount& count);

}  // namespace m2st::apps
