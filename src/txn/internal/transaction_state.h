// What a transaction has staged, with what its snapshot says about it, so that verification needs
// no I/O.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "txn/internal/log_record.h"
#include "txn/internal/published.h"
#include "txn/transaction.h"

namespace quorate::txn::internal {

// More references below a name than this are not counted one by one: that many are never all
// deleted between a snapshot and a commit that wants the name itself.
inline constexpr std::size_t kChildrenMax = 64;

struct StagedRef {
  RefUpdate update;
  std::optional<RefValue> in_snapshot;
  // Of a name that is to be created: the references of the snapshot that are in its way.
  std::optional<std::string> parent;
  std::vector<std::string> children;
  bool more_children = false;  // Than kChildrenMax.
};

struct StagedHead {
  RepositoryId repository;
  RefValue value;
  RefValue in_snapshot;  // Meaningless in a repository that the transaction creates.
};

struct StagedKey {
  std::string key;
  std::optional<std::optional<std::string>> expected;
  std::optional<std::string> value;
  std::optional<std::string> in_snapshot;
};

// A pack that no entry names yet. Unless it is taken, it is discarded with the transaction.
class UnloggedPack {
 public:
  explicit UnloggedPack(std::unique_ptr<git::QuarantinedPack> pack) : pack_(std::move(pack)) {}
  // Blocks on the disk if there is a pack still.
  ~UnloggedPack() {
    if (pack_ != nullptr) {
      static_cast<void>(pack_->Discard());  // What cannot be removed goes at the next start.
    }
  }
  UnloggedPack(UnloggedPack&&) noexcept = default;
  UnloggedPack& operator=(UnloggedPack&&) = delete;

  const git::PackRecord& record() const { return pack_->record(); }
  // Null if it was taken before.
  std::unique_ptr<git::QuarantinedPack> Take() { return std::move(pack_); }

 private:
  std::unique_ptr<git::QuarantinedPack> pack_;
};

struct StagedPack {
  RepositoryId repository;
  UnloggedPack pack;
};

// A repository that the transaction touches.
struct StagedRepository {
  std::optional<RepositoryInfo> in_snapshot;
  std::optional<RepositoryCreate> create;
  bool erase = false;
  bool changed = false;  // A reference, HEAD or pack was staged.

  git::ObjectFormat format() const { return create ? create->format : in_snapshot->format; }
};

}  // namespace quorate::txn::internal

namespace quorate::txn {

struct Transaction::State {
  State(TransactionOptions transaction_options, TransactionId transaction_id, Snapshot view,
        internal::Published::Pin window_pin)
      : options(std::move(transaction_options)),
        id(std::move(transaction_id)),
        snapshot(std::move(view)),
        pin(std::move(window_pin)) {}

  const TransactionOptions options;
  const TransactionId id;
  const Snapshot snapshot;
  const internal::Published::Pin pin;

  std::vector<internal::StagedRef> refs;  // In the order of the StageRef() calls.
  std::set<std::pair<RepositoryId, std::string>> ref_names;
  std::vector<internal::StagedHead> heads;
  std::vector<internal::StagedKey> keys;
  std::set<std::string> key_names;
  std::map<RepositoryId, internal::StagedRepository> repositories;
  std::optional<internal::StagedPack> pack;
  // Keys of the conflict window, and prefixes of such.
  std::vector<std::string> reads;
  std::vector<std::string> prefix_reads;
};

}  // namespace quorate::txn
