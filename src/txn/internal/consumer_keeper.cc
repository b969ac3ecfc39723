#include "txn/internal/consumer_keeper.h"

#include <algorithm>
#include <set>
#include <utility>

#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn::internal {
namespace {

constexpr const char* kLagGauge = "quorate_consumer_lag_entries";

}  // namespace

ConsumerKeeper::ConsumerKeeper(const TransactionManagerDeps& deps,
                               const TransactionManagerOptions& options)
    : deps_(deps), options_(options) {
  if (deps_.log_store != nullptr) {
    weight_.emplace(deps_.partition, *deps_.log_store);
  }
}

ConsumerKeeper::~ConsumerKeeper() {
  Show({});
}

Result<ConsumerKeeper::Round> ConsumerKeeper::Look(const Snapshot& snapshot, bool leading) {
  std::vector<ConsumerLag> lags = QUORATE_TRY(ReadLags(snapshot));
  Round round;
  for (const ConsumerLag& lag : lags) {
    if (lag.entries > 0) {
      const Lsn acknowledged = lag.consumer.acknowledged;
      round.needless = round.needless ? std::min(*round.needless, acknowledged) : acknowledged;
    }
  }
  if (round.needless && leading && weight_) {
    QUORATE_TRY(Weigh(snapshot.lsn(), *round.needless, lags));
    for (const ConsumerLag& lag : lags) {
      if (lag.entries > options_.consumer_entries_max || lag.bytes > options_.consumer_bytes_max) {
        round.too_far_behind.push_back(lag.consumer);
      }
    }
  } else if (weight_) {
    weight_->Forget();
  }
  Show(std::move(lags));
  return round;
}

Result<std::vector<ConsumerLag>> ConsumerKeeper::ReadLags(const Snapshot& snapshot) const {
  std::vector<ConsumerLag> lags;
  std::optional<RepositoryInfo> info;
  const std::string prefix = ConsumersPrefix(deps_.partition);
  const auto it = snapshot.view().NewIterator(kv::Family::kState, prefix, PrefixEnd(prefix));
  for (; it->Valid(); it->Next()) {
    const auto [repository, name] = QUORATE_TRY(ParseConsumerKey(it->key()));
    ConsumerLag lag;
    lag.consumer = QUORATE_TRY(DecodeConsumer(repository, name, it->value()));
    if (!info || info->id != repository) {
      info = QUORATE_TRY(snapshot.FindRepository(repository));
    }
    lag.entries = info ? LagOf(lag.consumer, *info, snapshot.lsn()) : 0;
    lags.push_back(std::move(lag));
  }
  QUORATE_TRY(it->status());
  return lags;
}

// Who is behind by too many entries already is not weighed, so that the stretch has a bound.
Status ConsumerKeeper::Weigh(Lsn applied, Lsn needless, std::vector<ConsumerLag>& lags) {
  if (applied.value - needless.value > options_.consumer_entries_max) {
    weight_->Forget();
    return Ok();
  }
  QUORATE_TRY(weight_->Cover(needless, applied));
  for (ConsumerLag& lag : lags) {
    if (lag.entries > 0) {
      lag.bytes = weight_->BytesBehind(lag.consumer.acknowledged);
    }
  }
  return Ok();
}

void ConsumerKeeper::Show(std::vector<ConsumerLag> lags) {
  const auto labels = [this](const std::string& name) {
    return env::Labels{{"partition", std::to_string(deps_.partition.value)}, {"consumer", name}};
  };
  std::set<std::string> present;
  for (const ConsumerLag& lag : lags) {
    const std::string& name = lag.consumer.name;
    if (!present.insert(name).second) {
      continue;  // Of another repository of the partition; the first one stands for the name.
    }
    env::Gauge*& gauge = gauges_[name];
    if (gauge == nullptr) {
      gauge = &deps_.metrics.GetGauge(
          kLagGauge, "Entries of the log that a consumer has not acknowledged.", labels(name));
    }
    gauge->Set(static_cast<double>(lag.entries));
  }
  std::erase_if(gauges_, [&](const auto& named) {
    const bool gone = !present.contains(named.first);
    if (gone) {
      deps_.metrics.RemoveGauge(kLagGauge, labels(named.first));
    }
    return gone;
  });
  const std::lock_guard lock(mutex_);
  lags_ = std::move(lags);
}

std::vector<ConsumerLag> ConsumerKeeper::lags() const {
  const std::lock_guard lock(mutex_);
  return lags_;
}

}  // namespace quorate::txn::internal
