// Small transactions of the admin API.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "http/internal/hop.h"
#include "http/internal/services.h"
#include "txn/transaction.h"

namespace quorate::http {

enum class Attempts : std::uint8_t {
  kOne,                  // A conflict is the client's to judge.
  kUntilNobodyIsFaster,  // Again from a new snapshot, up to ten times.
};

// Runs `stage(Transaction&)`, a Status, on the pool and commits what it staged, as the client.
// Fails with what it returned, and as TransactionManager::Begin() and Commit().
template <class Stage>
Awaitable<Result<txn::CommitOutcome>> Transact(const Services& services, Exchange& exchange,
                                               cluster::Repository& repository, Attempts attempts,
                                               Stage stage) {
  for (int left = attempts == Attempts::kOne ? 1 : 10;; --left) {
    Result<txn::Snapshot> current = co_await TakeSnapshot(repository);
    if (!current) {
      co_return std::move(current).error();
    }
    auto begin = [&]() -> Result<txn::Transaction> {
      txn::TransactionOptions options;
      options.actor = exchange.client_address();
      txn::Transaction transaction =
          QUORATE_TRY(repository.transactions().Begin(std::move(options)));
      QUORATE_TRY(stage(transaction));
      return transaction;
    };
    Result<txn::Transaction> staged = co_await OnPool(services.deps.git, std::move(begin));
    if (!staged) {
      co_return std::move(staged).error();
    }
    auto commit = [&repository, &staged](Callback<Result<txn::CommitOutcome>> done) {
      repository.transactions().Commit(*std::move(staged), std::move(done));
    };
    Result<txn::CommitOutcome> outcome =
        co_await AwaitCallback<Result<txn::CommitOutcome>>(std::move(commit));
    if (outcome || outcome.error().code() != Code::kConflict || left == 1) {
      co_return outcome;
    }
  }
}

}  // namespace quorate::http
