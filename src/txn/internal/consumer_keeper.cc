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
    round = QUORATE_TRY(FindTooFarBehind(snapshot.lsn(), std::move(round), lags));
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

// What counts is what the log keeps for a consumer. It may begin behind what was acknowledged, if
// for some time nothing concerned the consumer.
Result<ConsumerKeeper::Round> ConsumerKeeper::FindTooFarBehind(Lsn applied, Round round,
                                                               std::vector<ConsumerLag>& lags) {
  const Lsn dropped = QUORATE_TRY(deps_.log_store->Load(deps_.partition)).truncated.lsn;
  QUORATE_TRY(Weigh(applied, std::max(dropped, *round.needless), lags));
  for (const ConsumerLag& lag : lags) {
    const Lsn kept_behind = std::max(dropped, lag.consumer.acknowledged);
    const std::uint64_t kept = lag.entries > 0 ? applied.value - kept_behind.value : 0;
    if (kept > options_.consumer_entries_max || lag.bytes > options_.consumer_bytes_max) {
      round.too_far_behind.push_back(lag.consumer);
    }
  }
  return round;
}

// Who is behind by too many entries already is not weighed, so that the stretch has a bound.
Status ConsumerKeeper::Weigh(Lsn applied, Lsn kept_behind, std::vector<ConsumerLag>& lags) {
  if (applied.value - kept_behind.value > options_.consumer_entries_max) {
    weight_->Forget();
    return Ok();
  }
  const Status covered = weight_->Cover(kept_behind, applied);
  if (!covered && covered.error().code() == Code::kNotFound) {
    weight_->Forget();  // An earlier round's truncation comes only now. The next round weighs.
    return Ok();
  }
  QUORATE_TRY(covered);
  for (ConsumerLag& lag : lags) {
    if (lag.entries > 0) {
      lag.bytes = weight_->BytesBehind(std::max(kept_behind, lag.consumer.acknowledged));
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
