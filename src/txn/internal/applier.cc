#include "txn/internal/applier.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/check.h"
#include "base/fault_point.h"
#include "txn/internal/entry_codec.h"
#include "txn/internal/state_batch.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn::internal {
namespace {

constexpr std::size_t kBatchBytesMax = 8 << 20;

Error Mismatch(Lsn lsn, std::string_view what) {
  return Error(Code::kCorruption,
               fmt::format("entry {} does not fit the state: {}", lsn.value, what));
}

// Puts one entry's changes into a batch, after checking that they fit.
class ChangeApplier {
 public:
  ChangeApplier(const LogRecord& record, Lsn lsn, StateBatch& state)
      : record_(record), lsn_(lsn), state_(state) {}

  Status operator()(const RefChange& change) {
    RepositoryInfo info = QUORATE_TRY(FindRepository(change.repository));
    std::string key = RefKey(state_.partition(), change.repository, change.name);
    const auto bytes = QUORATE_TRY(state_.Get(key));
    std::optional<RefValue> before;
    if (bytes) {
      before = QUORATE_TRY(DecodeRefValue(*bytes));
    }
    if (before != change.before) {
      return Mismatch(lsn_, Printable(change.name));
    }
    state_.Set(std::move(key),
               change.after ? std::optional(EncodeRefValue(*change.after)) : std::nullopt);
    Touch(std::move(info));
    AddEvent(change.repository, change.name, change.before, change.after);
    return Ok();
  }

  Status operator()(const HeadChange& change) {
    RepositoryInfo info = QUORATE_TRY(FindRepository(change.repository));
    if (info.head != change.before) {
      return Mismatch(lsn_, "HEAD");
    }
    info.head = change.after;
    Touch(std::move(info));
    AddEvent(change.repository, "HEAD", change.before, change.after);
    return Ok();
  }

  // The objects were installed already; only that there is a repository to have them.
  Status operator()(const PackAdd& change) {
    QUORATE_TRY(FindRepository(change.repository));
    return Ok();
  }

  Status operator()(const RepositoryCreate& change) {
    const auto existing = QUORATE_TRY(state_.GetRepository(change.repository));
    if (existing) {
      return Mismatch(lsn_, fmt::format("repository {} exists", change.repository.value));
    }
    RepositoryInfo info;
    info.id = change.repository;
    info.format = change.format;
    info.created = lsn_;
    info.head.symref = change.default_branch;
    Touch(std::move(info));
    return Ok();
  }

  Status operator()(const RepositoryDelete& change) {
    QUORATE_TRY(FindRepository(change.repository));
    state_.SetRepository(change.repository, std::nullopt);
    state_.DeletePrefix(RefKey(state_.partition(), change.repository, ""));
    state_.DeletePrefix(ConfigKey(state_.partition(), change.repository, ""));
    state_.DeletePrefix(HistoryPrefix(state_.partition(), change.repository));
    state_.DeletePrefix(ConsumerKey(state_.partition(), change.repository, ""));
    return Ok();
  }

  Status operator()(const KeyChange& change) {
    std::string key = UserKey(state_.partition(), change.key);
    const auto bytes = QUORATE_TRY(state_.Get(key));
    std::optional<std::string> before;
    if (bytes) {
      before = QUORATE_TRY(DecodeKeyValue(*bytes));
    }
    if (before != change.before) {
      return Mismatch(lsn_, "key " + Printable(change.key));
    }
    state_.Set(std::move(key),
               change.after ? std::optional(EncodeKeyValue(*change.after)) : std::nullopt);
    return Ok();
  }

  Status operator()(const ConfigChange& change) {
    RepositoryInfo info = QUORATE_TRY(FindRepository(change.repository));
    std::string key = ConfigKey(state_.partition(), change.repository, change.name);
    const auto bytes = QUORATE_TRY(state_.Get(key));
    std::vector<std::string> before;
    if (bytes) {
      before = QUORATE_TRY(DecodeConfig(*bytes));
    }
    if (before != change.before) {
      return Mismatch(lsn_, "config " + Printable(change.name));
    }
    state_.Set(std::move(key),
               change.after.empty() ? std::nullopt : std::optional(EncodeConfig(change.after)));
    Touch(std::move(info));
    return Ok();
  }

  Status operator()(const ConsumerChange& change) {
    QUORATE_TRY(FindRepository(change.repository));
    std::string key = ConsumerKey(state_.partition(), change.repository, change.name);
    const auto bytes = QUORATE_TRY(state_.Get(key));
    std::optional<Consumer> before;
    if (bytes) {
      before = QUORATE_TRY(DecodeConsumer(change.repository, change.name, *bytes));
    }
    if (before != change.before) {
      return Mismatch(lsn_, "consumer " + Printable(change.name));
    }
    state_.Set(std::move(key), change.after
                                   ? std::optional(EncodeConsumer(AtEntry(*change.after, lsn_)))
                                   : std::nullopt);
    return Ok();
  }

 private:
  Result<RepositoryInfo> FindRepository(RepositoryId id) {
    std::optional<RepositoryInfo> info = QUORATE_TRY(state_.GetRepository(id));
    if (!info) {
      return Mismatch(lsn_, fmt::format("there is no repository {}", id.value));
    }
    return *std::move(info);
  }

  void Touch(RepositoryInfo info) {
    info.ref_version = lsn_;
    const RepositoryId id = info.id;
    state_.SetRepository(id, std::move(info));
  }

  void AddEvent(RepositoryId repository, std::string name, std::optional<RefValue> before,
                std::optional<RefValue> after) {
    const RefEvent event{.lsn = lsn_,
                         .transaction_id = record_.transaction_id,
                         .actor = record_.actor,
                         .time_unix_micros = record_.time_unix_micros,
                         .name = std::move(name),
                         .before = std::move(before),
                         .after = std::move(after),
                         .push_options = record_.push_options};
    state_.Set(HistoryKey(state_.partition(), repository, lsn_, events_++), EncodeEvent(event));
  }

  const LogRecord& record_;
  const Lsn lsn_;
  StateBatch& state_;
  std::uint32_t events_ = 0;
};

}  // namespace

void Applier::Apply(std::vector<ApplyItem> items, ApplyDone done) {
  QUORATE_FAULT("txn.before_apply");
  Status staged = Stage(items);
  const std::optional<Position> position = state_.position();
  if (!position) {
    std::move(done)(std::move(staged), std::move(items));
    return;
  }
  mark_->BeginWrite();
  states_.Write(state_.Take(), [this, position = *position, staged = std::move(staged),
                                items = std::move(items),
                                done = std::move(done)](const Status& status) mutable {
    Status written = Written(position, status);
    if (written && testing_.install_after_apply) {
      written = InstallLate(items);
    }
    std::move(done)(written ? std::move(staged) : std::move(written), std::move(items));
  });
}

// Those before one that fails are good, and stay in `state_`.
Status Applier::Stage(std::vector<ApplyItem>& items) {
  for (ApplyItem& item : items) {
    if (item.entry.lsn <= applied_.lsn) {
      continue;  // A second attempt.
    }
    if (Status staged = StageEntry(item); !staged) {
      state_.DropEntry();
      return staged;
    }
    state_.EndEntry(item.entry.position());
    if (state_.must_flush() || state_.bytes() > kBatchBytesMax) {
      QUORATE_TRY(Flush());
    }
  }
  return Ok();
}

// Only ever called in tests.
Status Applier::InstallLate(std::vector<ApplyItem>& items) {
  for (ApplyItem& item : items) {
    if (item.record) {
      QUORATE_TRY(InstallPacks(item));
    }
  }
  return Ok();
}

Status Applier::StageEntry(ApplyItem& item) {
  const Lsn lsn = item.entry.lsn;
  QUORATE_CHECK(lsn == state_.position().value_or(applied_).lsn.Next());
  if (OldestGeneration(lsn) > OldestGeneration(Lsn{lsn.value - 1})) {
    state_.DeletePrefix(TransactionKey(partition_, OldestGeneration(lsn) - 1, ""));
  }
  if (item.entry.type != consensus::EntryType::kNormal || item.entry.data.empty()) {
    return Ok();
  }
  if (!item.record) {
    item.record = QUORATE_TRY(DecodeRecord(item.entry.data));
  }
  ChangeApplier apply(*item.record, lsn, state_);
  for (const Change& change : item.record->changes) {
    QUORATE_TRY(std::visit(apply, change));
  }
  if (!testing_.install_after_apply) {
    QUORATE_TRY(InstallPacks(item));
  }
  state_.Set(TransactionKey(partition_, GenerationOf(lsn), item.record->transaction_id),
             EncodeTransaction({.lsn = lsn,
                                .time_unix_micros = item.record->time_unix_micros,
                                .actor = item.record->actor}));
  return Ok();
}

Status Applier::InstallPacks(ApplyItem& item) {
  std::size_t next = 0;
  for (const Change& change : item.record->changes) {
    const auto* add = std::get_if<PackAdd>(&change);
    if (add == nullptr) {
      continue;
    }
    if (packs_ == nullptr) {
      return Mismatch(item.entry.lsn, "a pack in a partition without objects");
    }
    std::unique_ptr<git::QuarantinedPack> local;
    if (next < item.locals.size()) {
      local = std::move(item.locals[next++]);
    }
    Status installed = packs_->Install(add->pack, std::move(local));
    if (!installed) {
      return std::move(installed).error().Wrap(
          fmt::format("install a pack of entry {}", item.entry.lsn.value));
    }
    QUORATE_FAULT("txn.after_install");
  }
  return Ok();
}

// Without others, because what comes next reads it.
Status Applier::Flush() {
  const std::optional<Position> position = state_.position();
  QUORATE_CHECK(position);
  mark_->BeginWrite();
  return Written(*position, store_.Write(state_.Take(), {.sync = false}));
}

Status Applier::Written(Position position, const Status& written) {
  if (!written) {
    // Whatever it was, the store takes no further write: a second attempt has no sense.
    return Error(Code::kInternal, fmt::format("apply up to entry {}: {}", position.lsn.value,
                                              written.error().message()));
  }
  mark_->EndWrite(position, state_.repository());
  applied_ = position;
  QUORATE_FAULT("txn.after_apply");
  return Ok();
}

}  // namespace quorate::txn::internal
