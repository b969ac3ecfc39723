// GatedStrand: a strand that a test can hold up, and that dies with its process.
//
// While the gate is shut, tasks wait in it, in order; they are let through one by one or all. After
// Kill(), no task that was posted to it runs any more: what had not happened when the process
// crashed never happens.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "env/strand.h"

namespace quorate::raft {

class GatedStrand final : public env::Strand {
 public:
  explicit GatedStrand(std::unique_ptr<env::Strand> inner);
  ~GatedStrand() override;

  void Post(env::Task task) override;
  void AssertCurrent() const override { inner_->AssertCurrent(); }

  void Shut() { shut_ = true; }
  void Open();                         // Lets everything through.
  void LetThrough(std::size_t count);  // The oldest ones; the gate stays as it is.
  std::size_t waiting() const { return waiting_.size(); }

  void Kill();

 private:
  void Forward(env::Task task);

  std::unique_ptr<env::Strand> inner_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::deque<env::Task> waiting_;
  bool shut_ = false;
};

}  // namespace quorate::raft
