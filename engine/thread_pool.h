// Threads that run numbered chunks of work. Which thread runs a chunk is not defined, so a chunk
// writes only what it owns; what a chunk is depends on the problem alone (parallel.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace m2st {

class ThreadPool {
 public:
  // `threads` counts the caller, which works too; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }
  // Calls body(chunk) for every chunk in [0, chunks) and returns when all are done. The first
  // exception thrown by a body is thrown again here. Called from inside a body it runs in place.
  void run(std::int64_t chunks, const std::function<void(std::int64_t)>& body);

 private:
  void work();
  void stop();
  void claim_chunks();

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_;
  // The job; written while no worker is inside it (active_ is 0), read by those who entered it.
  const std::function<void(std::int64_t)>* body_ = nullptr;
  std::int64_t chunks_ = 0;
  std::atomic<std::int64_t> next_ = 0;
  std::atomic<std::int64_t> active_ = 0;
  std::atomic<std::uint64_t> generation_ = 0;
  bool open_ = false;      // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::exception_ptr failure_;
  std::atomic<bool> busy_ = false;
};

}  // namespace m2st
