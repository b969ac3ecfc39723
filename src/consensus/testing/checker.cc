#include "consensus/testing/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::consensus::testing {

void Checker::Fail(std::string what) {
  if (!violation_) {
    violation_ = std::move(what);
  }
}

void Checker::OnProposed(const Position& position, std::string data) {
  open_[position] = std::move(data);
}

void Checker::OnApplied(const ModelReplica& replica, const Entry& entry) {
  const ConfState& conf_state = replica.disk().conf_state;
  const auto [known, first] = truth_.emplace(entry.lsn, Truth{entry, conf_state});
  if (!first && known->second.entry != entry) {
    Fail(fmt::format("replica {} applied another entry at {} than its peers", replica.id().value,
                     entry.lsn.value));
  }
  if (!first && known->second.conf_state != conf_state) {
    Fail(fmt::format("at {} replica {} has the configuration {}, its peers {}", entry.lsn.value,
                     replica.id().value, conf_state.ToString(),
                     known->second.conf_state.ToString()));
  }
  const auto proposal = open_.find(Position{entry.lsn, entry.term});
  if (proposal != open_.end() && proposal->second == entry.data) {
    acknowledged_.emplace(entry.lsn, CommandName(entry.data));
    open_.erase(proposal);
  }
}

void Checker::OnReadAsked(const std::string& context) {
  read_floors_[context] = acknowledged_.empty() ? Lsn{0} : acknowledged_.rbegin()->first;
}

void Checker::OnReadRefused(const std::string& context) {
  read_floors_.erase(context);
}

void Checker::OnReadServed(const std::string& context, Lsn applied) {
  ++reads_served_;
  const auto floor = read_floors_.find(context);
  if (floor != read_floors_.end() && applied < floor->second) {
    Fail(fmt::format("stale read: served at {}, {} was acknowledged before it was asked",
                     applied.value, floor->second.value));
  }
}

void Checker::CheckLeader(const ModelReplica& replica) {
  const NodeStatus status = replica.status();
  if (status.role != Role::kLeader) {
    return;
  }
  const auto [leader, first] = leaders_.emplace(status.term, replica.id());
  if (!first && leader->second != replica.id()) {
    Fail(fmt::format("two leaders in term {}: {} and {}", status.term.value, leader->second.value,
                     replica.id().value));
  }
}

void Checker::CheckAlive(const ModelReplica& replica) {
  if (replica.fenced()) {
    Fail(fmt::format("replica {}: {}", replica.id().value, replica.why()));
  }
}

void Checker::CheckComplete(const ModelReplica& replica) {
  // The state is the names of all commands in order, so one walk over it finds all of ours.
  const std::string& state = replica.disk().state;
  std::size_t from = 0;
  for (const auto& [lsn, name] : acknowledged_) {
    const std::string wanted = name + ";";
    const std::size_t at = state.compare(from, wanted.size(), wanted) == 0
                               ? from
                               : state.find(";" + wanted, from == 0 ? 0 : from - 1);
    if (at == std::string::npos) {
      Fail(fmt::format("acknowledged proposal {} (LSN {}) is not in replica {}", name, lsn.value,
                       replica.id().value));
      return;
    }
    from = state.find(';', at == from ? at : at + 1) + 1;
  }
}

}  // namespace quorate::consensus::testing
