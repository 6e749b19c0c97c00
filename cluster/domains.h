// The default, label-free way from embeddings to domains: what `m2st run` and `m2st cluster` call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/cpu_context.h"
#include "engine/view.h"

namespace m2st::cluster {

enum class Method { kDefault, kKMeans, kMixture, kReference };

struct DomainOptions {
  Method method = Method::kDefault;
  int domains = 0;  // K >= 1
  std::uint64_t seed = 0;
  int refinement = 0;  // passes of majority refinement in space afterwards, where a graph is known
};

struct DomainResult {
  std::vector<std::int32_t> labels;  // 0..K-1, largest first
  std::vector<float> confidence;     // per cell in [0, 1]; empty when the method has none
  std::string method;                // what ran, for the manifest: name and parameters
  std::vector<std::string> warnings;
};

// embeddings: one (N, d_m) per scale; features: (N, d) the model's input, or empty; graph: spatial
// neighbours without self loops, or empty when none is known. Errors: 4 (not finite), 5 (K < 1 or
// K > N).
DomainResult find_domains(CpuContext& context,
                          const std::vector<MatrixView<const float>>& embeddings,
                          MatrixView<const float> features, CsrView graph,
                          const DomainOptions& options);

// The same, with the iterations of the reference method on the context's backend; all else is the
// host's.
DomainResult find_domains(Context& context, const std::vector<MatrixView<const float>>& embeddings,
                          MatrixView<const float> features, CsrView graph,
                          const DomainOptions& options);
// Whether the method works on a device where there is one.
bool uses_device(Method method);

// Renumbers labels so that the largest cluster is 0 (ties: the one that appears first).
std::vector<std::int32_t> largest_first(const std::vector<std::int32_t>& labels);

}  // namespace m2st::cluster
