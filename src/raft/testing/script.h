// Script tests: a text file of commands and of what each of them made happen.
//
//   # What this scenario shows.
//
//   start 3
//   ----
//
//   campaign 1
//   ----
//   1: follows 0 in term 1
//
// A block is a command, a line of four dashes, the expected lines, and an empty line. Lines that
// begin with # stand between blocks. Commands (replicas are named by their numbers):
//
//   start N               a group of N replicas, all running
//   campaign R            R starts an election now
//   tick R [N]            N ticks pass at R
//   append R TEXT...      one burst: each word is an entry
//   read R                a read barrier at R; the answer is an event
//   transfer R TO         R hands leadership to TO
//   resign R              R's machine is fenced: R is not to lead
//   change R MEMBER voter|learner   R proposes it
//   members               everybody's idea of the configuration
//   compact R LSN
//   deliver [N]           N turns of the network; without N, until it is quiet
//   messages              what is under way
//   cut R TO, heal        messages from R to TO are lost; no more
//   slow-disk R, fast-disk R      nothing reaches R's disk; it catches up
//   crash R [keep N]      R dies; the first N unsynced batches survive
//   restart R
//   lie TO FROM LSN       TO gets a heartbeat in FROM's name that commits what it does not have
//   print, state          status, applied entries of all
//
// Events: what the state machines were told, and answers to reads.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::raft {

// The script with the outputs that it really has. kInvalidArgument names the line it cannot read.
Result<std::string> RunScript(std::string_view script);

}  // namespace quorate::raft
