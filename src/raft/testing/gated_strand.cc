#include "raft/testing/gated_strand.h"

#include <utility>

namespace quorate::raft {

GatedStrand::GatedStrand(std::unique_ptr<env::Strand> inner) : inner_(std::move(inner)) {
}

GatedStrand::~GatedStrand() {
  Kill();
}

void GatedStrand::Post(env::Task task) {
  if (!*alive_) {
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

void GatedStrand::Kill() {
  *alive_ = false;
  waiting_.clear();
}

void GatedStrand::Forward(env::Task task) {
  inner_->Post([alive = alive_, task = std::move(task)]() mutable {
    if (*alive) {
      std::move(task)();
    }
  });
}

}  // namespace quorate::raft
