// Who leads: how a Replica comes to lead, notices it, and lets go of it.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "raft/replica.h"

namespace quorate::raft {

Status Replica::Campaign() {
  strand_.AssertCurrent();
  QUORATE_TRY(CheckRunning());
  const Status flushed = FlushBurst();
  if (!Survives(flushed)) {
    return flushed;
  }
  const Status started = node_->Campaign();
  if (node_->poisoned()) {
    Fence(started.error());
  }
  ScheduleDrain();
  return started;
}

Status Replica::TransferLeadership(ReplicaId to) {
  strand_.AssertCurrent();
  QUORATE_TRY(CheckRunning());
  const Status flushed = FlushBurst();
  if (!Survives(flushed)) {
    return flushed;
  }
  const Status asked = node_->TransferLeader(to);
  if (node_->poisoned()) {
    Fence(asked.error());
  }
  ScheduleDrain();
  return asked;
}

void Replica::Resign() {
  strand_.AssertCurrent();
  if (!running() || std::exchange(resigned_, true)) {
    return;
  }
  logger_.Warn("replica resigned: it stores and votes, and will not lead",
               {{"partition", partition_.value}, {"replica", identity_.replica.value}});
  hand_over_due_ = true;
  ScheduleDrain();
}

// To the voter that answers and lacks least; the next one if that comes to nothing. As often as
// there are ticks, because any of them may be away, or have resigned itself.
void Replica::HandOver() {
  const consensus::NodeStatus now = node_->status();
  if (now.role != consensus::Role::kLeader || now.transferee.value != 0) {
    return;
  }
  Result<std::vector<consensus::PeerProgress>> peers = node_->Progress();
  if (!peers) {
    Survives(peers.error());
    return;
  }
  std::erase_if(*peers, [self = identity_.replica](const consensus::PeerProgress& peer) {
    return peer.learner || !peer.recent_active || peer.id == self;
  });
  const auto fresh = [asked = &asked_to_lead_](const consensus::PeerProgress& peer) {
    return !std::ranges::count(*asked, peer.id);
  };
  if (std::ranges::none_of(*peers, fresh)) {
    asked_to_lead_.clear();
  }
  std::erase_if(*peers, [&](const consensus::PeerProgress& peer) { return !fresh(peer); });
  const auto best = std::ranges::max_element(*peers, {}, &consensus::PeerProgress::matched);
  if (best == peers->end()) {
    return;
  }
  asked_to_lead_.push_back(best->id);
  const Status ignored = TransferLeadership(best->id);  // The next tick sees what came of it.
  static_cast<void>(ignored);
}

// Nobody else can lead, so no timeout is waited for. The engine does not campaign over changes of
// the configuration that are committed and not applied; it looks for them in all that is not
// applied, at once and in memory, hence not before that is little.
bool Replica::CampaignIfAlone() {
  if (!running() || !campaign_at_start_ || !conf_changes_.empty() || window_.holds_back()) {
    return false;
  }
  campaign_at_start_ = false;
  // Somebody may have called Campaign() before us; the engine refuses a second one until the first
  // entry of that term is on disk.
  const bool leads = node_->status().role == consensus::Role::kLeader;
  return sole_voter() && !leads && Survives(node_->Campaign());
}

Status Replica::NoteRole(const consensus::NodeStatus& now,
                         std::span<const consensus::EntryView> appended) {
  const bool leads = now.role == consensus::Role::kLeader;
  if (leading_ && (!leads || leading_->term != now.term)) {
    LoseLeadership(now);
  } else if (!leads && (now.term != seen_term_ || now.leader != seen_leader_)) {
    seen_term_ = now.term;
    seen_leader_ = now.leader;
    DeliverUpTo(now.commit);
    reads_.AskAgain();
    machine_->OnFollowing(now.term, now.leader);
  }
  if (running() && leads && !leading_) {
    // The entries of a term are its leader's; the first of them is the no-op.
    for (const consensus::EntryView& entry : appended) {
      if (entry.term == now.term) {
        leading_ = Leadership{.term = now.term, .no_op = entry.lsn};
        break;
      }
    }
    if (!leading_) {
      return Error(Code::kInternal, "the engine leads without an entry of its own");
    }
    seen_term_ = now.term;
    seen_leader_ = {};
    reads_.AskAgain();
  }
  AnnounceLeading();
  return Ok();
}

// Once the machine has the no-op.
void Replica::AnnounceLeading() {
  if (!running() || !leading_ || leading_->announced) {
    return;
  }
  if (window_.delivered() < leading_->no_op && !options_.testing.lead_without_fence) {
    return;
  }
  leading_->announced = true;
  NoteWhetherAlone();
  counters_.leaderships.Add();
  logger_.Info("leading", {{"partition", partition_.value},
                           {"replica", identity_.replica.value},
                           {"term", leading_->term.value}});
  machine_->OnLeading(leading_->term, leading_->no_op);
}

// A change that others could act on before we do makes it false: from its proposal, or from its
// commit if an earlier leader proposed it, until it is applied here.
void Replica::NoteWhetherAlone() {
  commits_alone_ = running() && alone() && leading_ && leading_->announced &&
                   conf_changes_.empty() && machine_applied_ >= conf_proposed_;
}

void Replica::LoseLeadership(const consensus::NodeStatus& now) {
  leading_.reset();
  asked_to_lead_.clear();
  NoteWhetherAlone();
  seen_term_ = now.term;
  seen_leader_ = now.leader;
  reads_.FailAll(Error(Code::kNotLeader, "leadership was lost"));
  if (running()) {
    machine_->OnFollowing(now.term, now.leader);
  }
}

}  // namespace quorate::raft
