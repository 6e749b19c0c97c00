#include "tests/simt/executor.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace m2st::simt {

namespace {

// Waking the others costs as much as some small blocks.
constexpr std::size_t kBlocksWorthThreads = 8;
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
      random_(options.order == Order::kRandom),
      threads_(options.workers) {
  for (int k = 0; k < threads_.threads(); ++k) workers_.push_back(std::make_unique<Block>(options));
}

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
  ++launches_;
  const std::vector<std::uint64_t> blocks = blocks_of(launch);
  const bool alone = blocks.size() < kBlocksWorthThreads;
  const std::size_t workers = alone ? 1 : workers_.size();
  threads_.run(static_cast<std::int64_t>(workers), [&](std::int64_t k) {
    Block& worker = *workers_[static_cast<std::size_t>(k)];
    worker.begin_launch(launch, launches_);
    for (auto at = static_cast<std::size_t>(k); at < blocks.size(); at += workers) {
      worker.run(block_index(blocks[at], launch.grid), blocks[at]);
    }
    worker.end_launch();
  });
}

std::vector<std::uint64_t> Executor::blocks_of(const Launch& launch) {
  const std::uint64_t count = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  std::vector<std::uint64_t> blocks(count);
  std::iota(blocks.begin(), blocks.end(), 0);
  if (!random_) {
    if (count > 1 && order_.one_of(count) != 0) std::reverse(blocks.begin(), blocks.end());
    return blocks;
  }
  order_.begin_block(launches_, count);
  for (std::uint64_t left = count; left > 1; --left) {
    std::swap(blocks[left - 1], blocks[order_.one_of(left)]);
  }
  return blocks;
}

}  // namespace m2st::simt
