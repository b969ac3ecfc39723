// What must hold of a node whenever nothing is under way, whatever happened to it before. The
// runner of the transaction suite asks at the end of every script.
#pragma once

#include <string>
#include <vector>

#include "consensus/entry.h"
#include "txn/testing/world.h"

namespace quorate::txn {

// A line for each thing that is wrong with `world`, in which no transaction is open and nothing is
// left to run; nothing if all is well:
//   - it serves: it is neither fenced nor stopped;
//   - no proposal is in flight, the conflict window is empty, no quarantined and no staged pack is
//     left, and everything that is committed is applied;
//   - the log applied to an empty state, if it is whole, gives this state and these packs;
//   - a node that crashes now, losing everything that was not synced, comes back with this state,
//     and one that is closed and opened too.
// State is everything that is stored of the partition but the applied positions: repositories,
// HEAD, references, history, keys, transaction ids.
//
// A world that is closed is opened first. It is left open.
// `delivered`: what a log that keeps nothing on disk (ScriptedLog) delivered since the beginning;
// then the world is neither crashed nor closed, and not opened if it is closed.
std::vector<std::string> Audit(World& world,
                               const std::vector<consensus::Entry>* delivered = nullptr);

}  // namespace quorate::txn
