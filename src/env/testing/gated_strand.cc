#include "env/testing/gated_strand.h"

#include <utility>

namespace quorate::env {

GatedStrand::GatedStrand(std::unique_ptr<Strand> inner) : inner_(std::move(inner)) {
}

GatedStrand::~GatedStrand() {
  Kill();
}

void GatedStrand::Post(Task task) {
  if (!alive_) {
    return;
  }
  if (shut_) {
    waiting_.push_back(std::move(task));
  } else {
    Forward(std::move(task));
  }
}

void GatedStrand::Open() {
  shut_ = false;
  LetThrough(waiting_.size());
}

void GatedStrand::LetThrough(std::size_t count) {
  for (; count > 0 && !waiting_.empty(); --count) {
    Forward(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

// Moved out first: what a task held may post while it goes.
void GatedStrand::Kill() {
  alive_ = false;
  const Tasks held = std::exchange(waiting_, {});
  const Tasks passed = std::exchange(*passed_, {});
}

// What the inner strand keeps is only the turn of a task, so that Kill() can take the task away.
void GatedStrand::Forward(Task task) {
  passed_->push_back(std::move(task));
  inner_->Post([passed = passed_] {
    if (passed->empty()) {
      return;
    }
    Task next = std::move(passed->front());
    passed->pop_front();
    std::move(next)();
  });
}

}  // namespace quorate::env
