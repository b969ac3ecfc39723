// What must hold of every replica whenever nothing is under way, whatever happened before. The
// runner of the transaction suite asks at the end of every script.
#pragma once

#include <string>
#include <vector>

#include "log/log_manager.h"
#include "txn/testing/stage.h"

namespace quorate::txn {

// A line for each thing that is wrong with `stage`, on which no transaction is open and nothing is
// left to run; nothing if all is well. Of each node:
//   - it serves: it is neither fenced nor stopped; a transaction can be begun and ended there;
//   - no proposal is in flight, the conflict window is empty, no quarantined and no staged pack is
//     left, and everything that is committed is applied;
//   - the log applied to an empty state, if it is whole, gives this state and these packs;
//   - all have the same position, state and packs;
//   - crashed now, with everything lost that was not synced, it comes back with this state, and
//     closed and opened, too.
// State is everything that is stored of the partition but the applied positions: repositories,
// HEAD, references, history, keys, transaction ids.
//
// Nodes that are closed are opened first. They are left open.
// `delivered`: what the log of a stage with one node, that keeps nothing on disk (ScriptedLog),
// delivered since the beginning; then it is neither crashed nor closed, nor opened if it is closed.
std::vector<std::string> Audit(Stage& stage,
                               const std::vector<consensus::Entry>* delivered = nullptr);

}  // namespace quorate::txn
