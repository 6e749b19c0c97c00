// A block's shared memory: poisoned when a piece is first asked for, with forbidden ground around
// every piece, and new for every block.
#pragma once

#include <cstddef>
#include <vector>

namespace m2st::simt {

// What an H100 has: 48 KiB without asking, 227 KiB for who asked.
inline constexpr std::size_t kStaticSharedLimit = 48 * 1024;
inline constexpr std::size_t kOptInSharedLimit = 227 * 1024;

class SharedArena {
 public:
  SharedArena();
  ~SharedArena();
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  // True when the memory was mapped anew: ThreadSanitizer forgets the accesses of the block before
  // only with its mapping.
  bool begin_block(std::size_t dynamic_bytes);
  // Says whether the ground between the pieces is as it was.
  bool intact() const;
  void* dynamic() const { return dynamic_; }
  // The piece of `key`, made at its first use; null when the static limit is passed.
  void* piece(const void* key, std::size_t bytes, std::size_t alignment);

 private:
  struct Piece {
    const void* key;
    unsigned char* first;
    std::size_t bytes;
  };
  void* add_piece(const void* key, std::size_t bytes, std::size_t alignment);
  void map();

  unsigned char* memory_ = nullptr;
  std::size_t used_ = 0;
  std::size_t static_bytes_ = 0;
  std::vector<Piece> pieces_;  // in order of address
  void* dynamic_ = nullptr;
  bool touched_ = false;  // since it was mapped
};

}  // namespace m2st::simt
