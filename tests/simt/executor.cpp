#include "tests/simt/executor.h"

#include <cuda_runtime_api.h>

#include <numeric>
#include <utility>
#include <vector>

namespace m2st::simt {

namespace {

constexpr unsigned kMostThreads = 1024;
constexpr unsigned kMostBlockDepth = 64;
constexpr unsigned kMostGridRows = 65535;
constexpr unsigned kMostGridColumns = 0x7FFFFFFF;

uint3 block_index(std::uint64_t block, dim3 grid) {
  return {static_cast<unsigned>(block % grid.x), static_cast<unsigned>(block / grid.x % grid.y),
          static_cast<unsigned>(block / grid.x / grid.y)};
}

}  // namespace

Executor::Executor(const Options& options)
    : order_(options.order, options.seed),
      block_(options),
      random_(options.order == Order::kRandom) {}

int Executor::refusal(const Launch& launch) const {
  const dim3 grid = launch.grid, block = launch.block;
  const bool empty =
      grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0;
  const bool grid_fits =
      grid.x <= kMostGridColumns && grid.y <= kMostGridRows && grid.z <= kMostGridRows;
  const bool block_fits =
      std::uint64_t{block.x} * block.y * block.z <= kMostThreads && block.z <= kMostBlockDepth;
  if (empty || !grid_fits || !block_fits) return cudaErrorInvalidConfiguration;
  const auto found = dynamic_limit_.find(launch.kernel);
  const std::size_t limit = found == dynamic_limit_.end() ? kStaticSharedLimit : found->second;
  return launch.dynamic_bytes > limit ? cudaErrorInvalidValue : cudaSuccess;
}

bool Executor::allow_dynamic_shared(const void* kernel, int bytes) {
  if (bytes < 0 || static_cast<std::size_t>(bytes) > kOptInSharedLimit) return false;
  dynamic_limit_[kernel] = std::max(kStaticSharedLimit, static_cast<std::size_t>(bytes));
  return true;
}

void Executor::run(const Launch& launch) {
  block_.begin_launch(launch, ++launches_);
  run_blocks(launch);
  block_.end_launch();
}

void Executor::run_blocks(const Launch& launch) {
  const std::uint64_t blocks = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  if (!random_) {
    for (std::uint64_t k = 0; k < blocks; ++k) {
      const std::uint64_t block = order_.one_of(blocks) == 0 ? k : blocks - 1 - k;
      block_.run(block_index(block, launch.grid), block);
    }
    return;
  }
  order_.begin_block(launches_, blocks);
  std::vector<std::uint64_t> shuffled(blocks);
  std::iota(shuffled.begin(), shuffled.end(), 0);
  for (std::uint64_t left = blocks; left > 1; --left) {
    std::swap(shuffled[left - 1], shuffled[order_.one_of(left)]);
  }
  for (const std::uint64_t block : shuffled) block_.run(block_index(block, launch.grid), block);
}

}  // namespace m2st::simt
