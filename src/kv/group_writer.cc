#include "kv/group_writer.h"

#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace quorate::kv {

class GroupWriter::Queue : public std::enable_shared_from_this<GroupWriter::Queue> {
 public:
  Queue(Store& store, std::unique_ptr<env::Strand> strand, GroupWriterOptions options)
      : store_(store), strand_(std::move(strand)), options_(options) {}

  void Write(WriteBatch batch, Callback<Status> done) {
    bool first = false;
    bool gathered = false;
    {
      const std::lock_guard lock(mutex_);
      first = !std::exchange(writing_, true);
      gathered = first ? options_.always_gather : waiting_bytes_ < options_.waiting_bytes_max;
      if (gathered) {
        waiting_bytes_ += batch.bytes();
        waiting_.push_back({.batch = std::move(batch), .done = std::move(done)});
      }
    }
    if (!gathered) {
      std::move(done)(store_.Write(std::move(batch), {.sync = false}));
    }
    if (first) {
      GoOn();
    }
  }

  void Close() {
    std::deque<Item> dropped;  // Callbacks are destroyed outside the lock.
    const std::lock_guard lock(mutex_);
    dropped.swap(waiting_);
  }

 private:
  struct Item {
    WriteBatch batch;
    Callback<Status> done;
  };

  // On the strand, because this thread has other work than that of those who came meanwhile.
  void GoOn() {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        writing_ = false;
        return;
      }
    }
    strand_->Post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->WriteGroup();
      }
    });
  }

  void WriteGroup() {
    std::vector<Callback<Status>> waiting;
    const Status written = store_.Write(Gather(waiting), {.sync = false});
    for (Callback<Status>& done : waiting) {
      std::move(done)(written);
    }
    GoOn();
  }

  WriteBatch Gather(std::vector<Callback<Status>>& dones) {
    WriteBatch group;
    const std::lock_guard lock(mutex_);
    while (!waiting_.empty() && group.bytes() < options_.group_bytes_max) {
      waiting_bytes_ -= waiting_.front().batch.bytes();
      group.Append(std::move(waiting_.front().batch));
      dones.push_back(std::move(waiting_.front().done));
      waiting_.pop_front();
    }
    return group;
  }

  Store& store_;
  const std::unique_ptr<env::Strand> strand_;
  const GroupWriterOptions options_;

  std::mutex mutex_;
  std::deque<Item> waiting_;       // Under mutex_.
  std::size_t waiting_bytes_ = 0;  // Under mutex_. Of waiting_.
  bool writing_ = false;           // Under mutex_. Somebody writes, or is about to on the strand.
};

GroupWriter::GroupWriter(Store& store, std::unique_ptr<env::Strand> strand,
                         GroupWriterOptions options)
    : queue_(std::make_shared<Queue>(store, std::move(strand), options)) {
}

GroupWriter::~GroupWriter() {
  queue_->Close();
}

void GroupWriter::Write(WriteBatch batch, Callback<Status> done) {
  const std::shared_ptr<Queue> queue = queue_;  // `done` may let go of us.
  queue->Write(std::move(batch), std::move(done));
}

}  // namespace quorate::kv
