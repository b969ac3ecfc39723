#include "consensus/testing/model_replica.h"

#include <utility>

#include "base/check.h"

namespace quorate::consensus::testing {
namespace {

constexpr std::size_t kClaimedWritesMax = 12;  // Of skip_sync.

}  // namespace

RawNodeOptions TestOptions(ReplicaId id) {
  return {.id = id,
          .applied = Lsn{0},
          .election_ticks = 10,
          .heartbeat_ticks = 2,
          .inflight_messages_max = 16,
          .message_bytes_max = 4096,
          .uncommitted_bytes_max = 1 << 20,
          .committed_bytes_per_ready_max = 1 << 16,
          .seed = 7};
}

void ModelReplica::Write::ApplyTo(ModelDisk& disk) const {
  if (checkpoint) {
    disk.Install(*checkpoint);
  }
  for (const Entry& entry : entries) {
    disk.Append(entry);
  }
  if (hard_state) {
    disk.hard_state = *hard_state;
  }
}

ModelReplica::ModelReplica(ReplicaId id, ModelDisk disk)
    : options(TestOptions(id)), storage(written_), id_(id), durable_(std::move(disk)) {
}

bool ModelReplica::Alive(const Status& status) {
  if (!status && status.error().code() == Code::kCorruption) {
    fenced_ = true;
    why_ = status.error().message();
  }
  return !fenced_;
}

bool ModelReplica::Start() {
  written_ = durable_;
  pending_.clear();
  lost_.clear();
  to_apply_.clear();
  reads.clear();
  fenced_ = false;
  options.applied = durable_.applied;
  auto node = RawNode::OpenUnsafe(options, unsafe, storage, {});
  if (!node) {
    fenced_ = true;
    why_ = node.error().message();
    return false;
  }
  node_.emplace(std::move(node).value());
  return true;
}

void ModelReplica::Crash(std::size_t keep) {
  if (lost_.empty()) {
    for (std::size_t i = 0; i < keep && i < pending_.size(); ++i) {
      pending_[i].ApplyTo(durable_);
    }
    for (std::size_t i = keep; mistakes.hard_state_apart && i < pending_.size(); ++i) {
      durable_.hard_state = pending_[i].hard_state.value_or(durable_.hard_state);
    }
  }
  pending_.clear();
  node_.reset();
}

Envelope ModelReplica::Seal(OutgoingMessage message) {
  for (const char c : message.bytes) {
    digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  return {id_, std::move(message)};
}

void ModelReplica::Pump(const Send& send) {
  while (up() && node_->HasReady()) {
    auto ready = node_->TakeReady();
    if (!ready) {
      Alive(std::move(ready).error());
      return;
    }
    Take(std::move(ready).value(), send);
    if (!Alive(node_->AdvanceAppend())) {
      return;
    }
  }
  if (node_ && node_->poisoned()) {
    fenced_ = true;
    why_ = node_->poison_reason();
  }
}

void ModelReplica::Take(Ready ready, const Send& send) {
  for (OutgoingMessage& message : ready.messages) {
    send(Seal(std::move(message)));
  }
  Write write;
  write.number = ready.number;
  write.checkpoint = std::move(ready.checkpoint);
  write.hard_state = ready.hard_state;
  for (const EntryView& entry : ready.entries) {
    write.entries.push_back(Entry::From(entry));
  }
  for (OutgoingMessage& message : ready.persisted_messages) {
    write.after.push_back(Seal(std::move(message)));
  }
  if (mistakes.send_before_persist) {
    for (Envelope& envelope : std::exchange(write.after, {})) {
      send(std::move(envelope));
    }
  }
  if (write.checkpoint) {
    to_apply_.clear();
    ++installs_;
  }
  write.ApplyTo(written_);
  for (const EntryView& entry : ready.committed) {
    to_apply_.push_back(Entry::From(entry));
  }
  for (ReadState& read : ready.reads) {
    reads.push_back(std::move(read));
  }
  pending_.push_back(std::move(write));
}

void ModelReplica::Sync(std::size_t count, const Send& send) {
  for (; up() && count > 0 && !pending_.empty(); --count) {
    Write write = std::move(pending_.front());
    pending_.pop_front();
    std::vector<Envelope> after = std::exchange(write.after, {});
    const std::uint64_t number = write.number;
    const auto checkpoint = write.checkpoint;
    if (mistakes.skip_sync) {
      lost_.push_back(std::move(write));
    } else {
      write.ApplyTo(durable_);
    }
    while (lost_.size() > kClaimedWritesMax) {
      lost_.front().ApplyTo(durable_);
      lost_.pop_front();
    }
    if (!Alive(node_->OnPersist(number))) {
      return;
    }
    if (checkpoint && !Alive(node_->AdvanceApplyTo(checkpoint->position.lsn))) {
      return;
    }
    for (Envelope& envelope : after) {
      send(std::move(envelope));
    }
  }
}

bool ModelReplica::ApplyOne(const Entry& entry) {
  QUORATE_CHECK(entry.lsn == written_.applied.Next());
  written_.applied = entry.lsn;
  if (entry.type != EntryType::kNormal) {
    auto conf = node_->ApplyConfChange(entry.type, entry.data);
    if (conf) {
      written_.conf_state = std::move(conf).value();
    } else if (!Alive(Status(std::move(conf).error()))) {
      return false;
    }
  } else if (!entry.data.empty()) {
    written_.state.append(CommandName(entry.data)).append(";");
  }
  if (on_apply) {
    on_apply(*this, entry);
  }
  return true;
}

void ModelReplica::Apply(std::size_t count) {
  Lsn applied;
  for (; up() && count > 0 && !to_apply_.empty(); --count) {
    const Entry entry = std::move(to_apply_.front());
    to_apply_.pop_front();
    if (entry.lsn <= written_.applied) {
      continue;
    }
    if (!ApplyOne(entry)) {
      return;
    }
    applied = entry.lsn;
  }
  if (up() && applied > Lsn{0}) {
    const Status advanced = node_->AdvanceApplyTo(applied);
    QUORATE_CHECK(!Alive(advanced) || advanced.has_value());
  }
}

void ModelReplica::SaveState() {
  if (!pending_.empty() || !lost_.empty()) {
    return;
  }
  durable_.applied = written_.applied;
  durable_.state = written_.state;
  durable_.conf_state = written_.conf_state;
}

void ModelReplica::Compact(std::uint64_t keep) {
  if (!pending_.empty() || !lost_.empty() || durable_.applied.value <= keep) {
    return;
  }
  const Lsn to{durable_.applied.value - keep};
  if (to <= written_.truncated.lsn || to > durable_.last()) {
    return;
  }
  written_.Compact(to);
  durable_.Compact(to);
}

}  // namespace quorate::consensus::testing
