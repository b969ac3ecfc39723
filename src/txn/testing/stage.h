// Stage: the replicas of one partition on which a script, or random clients, play: one alone
// (World), or a group whose leadership wanders (sim::GroupStage).
//
// A transaction begins at one replica, its home, and is committed there; in a group, leadership is
// moved to the home first, once everything under way has ended. Everything runs in one thread, by
// hand.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "txn/testing/node.h"

namespace quorate::txn {

class Stage {
 public:
  using Nodes = std::set<Node*>;
  // How many of its unsynced batches a disk keeps in a crash.
  using Keep = std::function<std::size_t(std::size_t unsynced)>;

  virtual ~Stage() = default;

  // In the order of replica ids; the same ones for ever.
  virtual std::vector<Node*> nodes() = 0;
  // Where one looks: the replica that leads, or led last.
  virtual Node& front() = 0;

  // Opens every node that is not open and runs until nothing is left to do.
  virtual Status Open() = 0;
  // Power loss at one or several nodes: which is for the stage to say. Nodes of `together` crash
  // all or none. Answers with those that crashed.
  virtual Nodes Crash(const Keep& keep, const Nodes& together) = 0;
  // Stops the partition on every node, to the end, and closes.
  virtual void Stop() = 0;

  // As Stop(), but the nodes stay open, to refuse what comes, and nothing waits for the end:
  // `stopped` runs when the front has stopped.
  virtual void BeginStop(Callback<> stopped) = 0;

  // Runs until nothing is left to do.
  virtual void Run() = 0;
  // Runs one task, or lets a moment pass; false if that would lead to nothing.
  virtual bool RunOne() = 0;
  // Says whether, since this call, more of the log went to disk: to that of a majority.
  virtual std::function<bool()> WatchWrites() = 0;

  // Where the next transaction begins. `far`: where one does not lead, if there is such a place.
  virtual Node& ChooseHome(bool far) = 0;
  // Something is about to be handed in at `home`.
  virtual void Engage(Node& home) = 0;
  // A moment between two commands: a good one to move leadership, if nothing is under way.
  virtual void Pause() = 0;
};

}  // namespace quorate::txn
