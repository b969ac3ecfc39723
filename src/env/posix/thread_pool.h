// A pool of threads and the strands that share it.
#pragma once

#include <memory>
#include <string>

#include "env/strand.h"

namespace quorate::env {

struct ThreadPoolOptions {
  std::string name;  // Threads are called NAME-0, NAME-1, ...; at most 12 characters.
  int threads = 1;
};

// Owns its threads. Stop() (or the destructor) runs what was posted before it, then joins; tasks
// posted later are dropped. Strands must be destroyed before the pool.
class ThreadPool final : public StrandPool {
 public:
  explicit ThreadPool(const ThreadPoolOptions& options);
  ~ThreadPool() override;

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::unique_ptr<Strand> NewStrand() override;
  void Post(Task task) override;

  void Stop();

 private:
  class Queue;
  class PoolStrand;

  std::shared_ptr<Queue> queue_;
};

}  // namespace quorate::env
