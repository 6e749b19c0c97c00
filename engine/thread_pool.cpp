#include "engine/thread_pool.h"

#include <system_error>

#include "engine/check.h"

namespace m2st {

namespace {

// Between the many short loops of an epoch a sleeping worker would cost more than the loop; after
// this many looks (some ten microseconds) it sleeps, so that an idle pool costs nothing.
constexpr int kLooksBeforeSleep = 4000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    const std::size_t started = workers_.size() + 1;
    stop();
    fail(ExitCode::kParameterImpossible, "thread pool: the system gave ", started, " of ", threads,
         " threads (", error.what(), "); ask for fewer");
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(std::int64_t chunks, const std::function<void(std::int64_t)>& body) {
  const bool alone = workers_.empty() || chunks <= 1 || busy_.exchange(true);
  if (alone) {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) body(chunk);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    chunks_ = chunks;
    next_.store(0);
    failure_ = nullptr;
    open_ = true;
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  claim_chunks();
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  for (int looks = 0; active_.load() != 0; ++looks) {
    if (looks < kLooksBeforeSleep) {
      pause();
    } else {
      std::this_thread::yield();
    }
  }
  const std::exception_ptr failure = failure_;
  busy_.store(false);
  if (failure) std::rethrow_exception(failure);
}

void ThreadPool::claim_chunks() {
  for (;;) {
    const std::int64_t chunk = next_.fetch_add(1);
    if (chunk >= chunks_) return;
    try {
      (*body_)(chunk);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      next_.store(chunks_);
    }
  }
}

void ThreadPool::work() {
  std::uint64_t seen = 0;
  for (;;) {
    for (int looks = 0; generation_.load() == seen && looks < kLooksBeforeSleep; ++looks) pause();
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      seen = generation_.load();
      if (stopping_) return;
      if (!open_) continue;
      active_.fetch_add(1);
    }
    claim_chunks();
    active_.fetch_sub(1);
  }
}

}  // namespace m2st
