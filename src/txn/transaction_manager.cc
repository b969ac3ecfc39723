#include "txn/transaction_manager.h"

#include <utility>

#include "txn/internal/manager_impl.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn {

void RecordObjectsDurable(PartitionId partition, Lsn lsn, kv::WriteBatch& batch) {
  batch.Put(kv::Family::kState, internal::ObjectsDurableKey(partition), internal::EncodeLsn(lsn));
}

TransactionManager::TransactionManager(TransactionManagerDeps deps,
                                       TransactionManagerOptions options)
    : impl_(std::make_shared<Impl>(std::move(deps), options)) {
}

TransactionManager::~TransactionManager() = default;

Status TransactionManager::Open() {
  return impl_->Open();
}

void TransactionManager::FindOutcome(std::string id, Callback<Result<TransactionOutcome>> done) {
  impl_->FindOutcome(std::move(id), std::move(done));
}

void TransactionManager::NoteAbort(TransactionId id, Error reason) {
  impl_->NoteAbort(std::move(id), std::move(reason));
}

TransactionId TransactionManager::NewTransactionId() {
  return impl_->NewTransactionId();
}

void TransactionManager::WaitWritable(Callback<Status> done) {
  impl_->WaitWritable(std::move(done));
}

Result<Transaction> TransactionManager::Begin(TransactionOptions options) {
  return impl_->Begin(std::move(options));
}

TransactionManager::PendingCommit TransactionManager::Commit(Transaction&& transaction,
                                                             CommitDone done) {
  // Made first: when the call below returns, `done` may have run and let the manager go.
  PendingCommit pending(impl_, std::make_shared<internal::CommitInterest>());
  impl_->Commit(transaction.TakeState(), pending.interest_, std::move(done));
  return pending;
}

void TransactionManager::PendingCommit::Cancel() {
  if (const std::shared_ptr<Impl> manager = manager_.lock()) {
    manager->Withdraw(interest_, false);
  }
}

void TransactionManager::PendingCommit::GiveUp() {
  if (const std::shared_ptr<Impl> manager = manager_.lock()) {
    manager->Withdraw(interest_, true);
  }
}

void TransactionManager::ReadSnapshot(Callback<Result<Snapshot>> done) {
  impl_->ReadSnapshot(std::move(done));
}

Result<Snapshot> TransactionManager::LocalSnapshot() const {
  return impl_->LocalSnapshot();
}

std::optional<Lsn> TransactionManager::CurrentLsn() const {
  return impl_->CurrentLsn();
}

Status TransactionManager::SyncObjects() {
  return impl_->SyncObjects();
}

Status TransactionManager::ObjectsDurable(Lsn lsn) {
  return impl_->ObjectsDurable(lsn);
}

void TransactionManager::RetryApply() {
  impl_->RetryApply();
}

Result<std::vector<CommittedChange>> TransactionManager::ReadChanges(const Snapshot& snapshot,
                                                                     const Consumer& consumer,
                                                                     std::size_t count_max) const {
  return impl_->ReadChanges(snapshot, consumer, count_max);
}

std::uint64_t TransactionManager::WatchApplied(Lsn beyond, Callback<> done) {
  return impl_->watch().Begin(beyond, std::move(done));
}

void TransactionManager::EndWatch(std::uint64_t ticket) {
  impl_->watch().End(ticket);
}

std::vector<ConsumerLag> TransactionManager::consumer_lags() const {
  return impl_->consumers().lags();
}

TransactionManager::ManagerStatus TransactionManager::status() const {
  return impl_->status();
}

void TransactionManager::Stop(Callback<> done) {
  impl_->Stop(std::move(done));
}

}  // namespace quorate::txn
