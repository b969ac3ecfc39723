// GatedStrand: a strand that a test can hold up, and that dies with its process.
//
// While the gate is shut, tasks wait in it, in order; they are let through one by one or all.
// Kill() destroys every task that has not run: what had not happened when the process crashed never
// happens, and nothing that such a task held outlives the process.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "env/strand.h"

namespace quorate::env {

class GatedStrand final : public Strand {
 public:
  explicit GatedStrand(std::unique_ptr<Strand> inner);
  ~GatedStrand() override;

  void Post(Task task) override;
  void AssertCurrent() const override { inner_->AssertCurrent(); }

  void Shut() { shut_ = true; }
  void Open();                         // Lets everything through.
  void LetThrough(std::size_t count);  // The oldest ones; the gate stays as it is.
  bool is_shut() const { return shut_; }
  std::size_t waiting() const { return waiting_.size(); }

  // May be called by a task of this strand, which then runs to its end.
  void Kill();

 private:
  using Tasks = std::deque<Task>;

  void Forward(Task task);

  std::unique_ptr<Strand> inner_;
  bool alive_ = true;
  bool shut_ = false;
  Tasks waiting_;
  std::shared_ptr<Tasks> passed_ = std::make_shared<Tasks>();  // Through the gate, not yet run.
};

}  // namespace quorate::env
