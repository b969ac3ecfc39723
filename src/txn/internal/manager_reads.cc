// What TransactionManager answers to readers.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "txn/internal/manager_impl.h"

namespace quorate::txn {
namespace {

// What the state says of an id; failing that, what is known besides.
Result<TransactionOutcome> OutcomeIn(const Snapshot& snapshot, std::string_view id, bool in_flight,
                                     std::optional<AbortedTransaction> aborted) {
  TransactionOutcome outcome{.known_from = snapshot.TransactionsKnownFrom()};
  outcome.committed = QUORATE_TRY(snapshot.FindTransaction(id));
  if (outcome.committed) {
    outcome.state = TransactionOutcome::State::kCommitted;
  } else if (in_flight) {
    outcome.state = TransactionOutcome::State::kInFlight;
  } else if (aborted) {
    outcome.state = TransactionOutcome::State::kAborted;
    outcome.aborted = std::move(aborted);
  } else if (outcome.known_from > kBootstrapPosition.lsn.Next()) {
    outcome.state = TransactionOutcome::State::kTooOld;
  }
  return outcome;
}
}  // namespace

// What is applied and whether some attempt at it may still be committed is found out in one task:
// with one in between, it could be missed by both. The strand does not wait for the disk.
void TransactionManager::Impl::FindOutcome(std::string id,
                                           Callback<Result<TransactionOutcome>> done) {
  deps_.strand.Post([self = shared_from_this(), id = std::move(id),
                     done = std::move(done)]() mutable {
    if (id.size() != kTransactionIdBytes) {
      std::move(done)(WrongIdSize());
      return;
    }
    self->ReadSnapshot([self, id = std::move(id),
                        done = std::move(done)](Result<Snapshot> snapshot) mutable {
      if (!snapshot) {
        std::move(done)(std::move(snapshot).error());
        return;
      }
      const bool in_flight = self->sequencer_->MayStillCommit(id);
      std::optional<AbortedTransaction> aborted;
      if (const auto* found = self->sequencer_->FindAbort(id); found != nullptr && !in_flight) {
        aborted = *found;
      }
      self->deps_.storage.Post([id = std::move(id), in_flight, snapshot = *std::move(snapshot),
                                aborted = std::move(aborted), done = std::move(done)]() mutable {
        std::move(done)(OutcomeIn(snapshot, id, in_flight, std::move(aborted)));
      });
    });
  });
}

void TransactionManager::Impl::ReadSnapshot(ReadDone done) {
  deps_.strand.Post([self = shared_from_this(), done = std::move(done)]() mutable {
    if (Status serving = self->published_->Serving(); !serving) {
      std::move(done)(std::move(serving).error());
      return;
    }
    self->deps_.log.ReadBarrier([self, done = std::move(done)](Result<Lsn> barrier) mutable {
      self->OnBarrier(std::move(barrier), std::move(done));
    });
  });
}

void TransactionManager::Impl::OnBarrier(Result<Lsn> barrier, ReadDone done) {
  deps_.strand.AssertCurrent();
  if (!barrier) {
    std::move(done)(std::move(barrier).error());
    return;
  }
  if (Status serving = published_->Serving(); !serving) {
    std::move(done)(std::move(serving).error());
    return;
  }
  if (applied_ >= *barrier || options_.testing.read_before_apply) {
    std::move(done)(Snapshot::Take(deps_.partition, deps_.store, *mark_));
    return;
  }
  if (readers_.size() >= options_.reads_waiting_max) {
    std::move(done)(Error(Code::kResourceExhausted, "too many reads wait"));
    return;
  }
  readers_.emplace(*barrier, std::move(done));
}

void TransactionManager::Impl::WakeReaders() {
  deps_.strand.AssertCurrent();
  while (!readers_.empty() && readers_.begin()->first <= applied_) {
    ReadDone done = std::move(readers_.begin()->second);
    readers_.erase(readers_.begin());
    std::move(done)(Snapshot::Take(deps_.partition, deps_.store, *mark_));
  }
}

void TransactionManager::Impl::FailReaders(const Error& reason) {
  deps_.strand.AssertCurrent();
  for (auto& [lsn, done] : std::exchange(readers_, {})) {
    std::move(done)(reason);
  }
}

Result<Snapshot> TransactionManager::Impl::LocalSnapshot() const {
  QUORATE_TRY(published_->Serving());
  return Snapshot::Take(deps_.partition, deps_.store, *mark_);
}

// The log first: what was acknowledged before it said yes is in what is published by now.
std::optional<Lsn> TransactionManager::Impl::CurrentLsn() const {
  return deps_.log.CommitsAlone() || options_.testing.read_locally ? published_->Current()
                                                                   : std::nullopt;
}

Result<std::vector<CommittedChange>> TransactionManager::Impl::ReadChanges(
    const Snapshot& snapshot, const Consumer& consumer, std::size_t count_max) const {
  QUORATE_CHECK(deps_.log_store != nullptr);
  return txn::ReadChanges(*deps_.log_store, deps_.store, snapshot, consumer, count_max);
}

}  // namespace quorate::txn
