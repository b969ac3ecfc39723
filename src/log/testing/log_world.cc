#include "log/testing/log_world.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"

namespace quorate::log {

void RecordingMachine::OnCommitted(std::vector<consensus::Entry> committed) {
  for (consensus::Entry& entry : committed) {
    calls.push_back(fmt::format("committed {}@{}:{}", entry.lsn.value, entry.term.value,
                                Printable(entry.data, 40)));
    entries.push_back(std::move(entry));
  }
  if (apply_at_once && manager != nullptr) {
    manager->Applied(entries.back().lsn);
  }
}

void RecordingMachine::OnLeading(Term term, Lsn no_op) {
  calls.push_back(fmt::format("leading {} {}", term.value, no_op.value));
}

void RecordingMachine::OnFollowing(Term term, ReplicaId leader) {
  calls.push_back(fmt::format("following {} {}", term.value, leader.value));
}

void RecordingMachine::OnFenced(const Error& reason) {
  calls.push_back(fmt::format("fenced {}", CodeName(reason.code())));
}

void LogWorld::Crash(std::size_t keep_unsynced) {
  process_.Crash(keep_unsynced);
  process_.Boot();
}

void LogWorld::Run(env::Strand& strand, std::function<void()> task) {
  strand.Post([task = std::move(task)] { task(); });
  env_.RunUntilIdle();
}

}  // namespace quorate::log
