// ConsumerKeeper looks, now and then, at how far the consumers of a partition are: up to where the
// log may go, who is to be cut off, and what operators see of it.
//
// One call at a time; blocks on the disk. A partition without consumers costs one lookup a round.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "txn/consumer.h"
#include "txn/internal/log_weight.h"
#include "txn/transaction_manager.h"

namespace quorate::txn::internal {

class ConsumerKeeper {
 public:
  // Both outlive it.
  ConsumerKeeper(const TransactionManagerDeps& deps, const TransactionManagerOptions& options);
  // Takes its gauges out of the registry.
  ~ConsumerKeeper();

  ConsumerKeeper(const ConsumerKeeper&) = delete;
  ConsumerKeeper& operator=(const ConsumerKeeper&) = delete;

  struct Round {
    // Entries up to here are needed by no consumer: nothing if that holds for all that are applied.
    std::optional<Lsn> needless{};
    std::vector<Consumer> too_far_behind{};  // Only if `leading`.
  };
  // As of `snapshot`. kCorruption: a record cannot be read.
  Result<Round> Look(const Snapshot& snapshot, bool leading);

  // Any thread. As of the last round.
  std::vector<ConsumerLag> lags() const;

 private:
  Result<std::vector<ConsumerLag>> ReadLags(const Snapshot& snapshot) const;
  Result<Round> FindTooFarBehind(Lsn applied, Round round, std::vector<ConsumerLag>& lags);
  Status Weigh(Lsn applied, Lsn kept_behind, std::vector<ConsumerLag>& lags);
  void Show(std::vector<ConsumerLag> lags);

  const TransactionManagerDeps& deps_;
  const TransactionManagerOptions& options_;
  std::optional<LogWeight> weight_;  // Nothing without a log store.
  std::map<std::string, env::Gauge*> gauges_;

  mutable std::mutex mutex_;  // Guards lags_.
  std::vector<ConsumerLag> lags_;
};

}  // namespace quorate::txn::internal
