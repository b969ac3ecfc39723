// What a transaction has staged, with what its snapshot says about it, so that verification needs
// no I/O.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "txn/internal/log_record.h"
#include "txn/internal/published.h"
#include "txn/internal/read_set.h"
#include "txn/transaction.h"

namespace quorate::txn::internal {

// Of the references below a name that is to be created so many are remembered, the others counted.
inline constexpr std::size_t kChildrenMax = 64;
inline constexpr std::size_t kChildrenCountedMax = 1 << 20;

struct StagedRef {
  RefUpdate update;
  std::optional<RefValue> in_snapshot;
  // Of a name that is to be created: the references of the snapshot that are in its way.
  std::optional<std::string> parent;
  std::vector<std::string> children;  // The first kChildrenMax.
  std::size_t more_children = 0;      // Behind those; kChildrenCountedMax stands for any number.
};

struct StagedHead {
  RepositoryId repository;
  RefValue value;
  std::optional<RefValue> expected;
  RefValue in_snapshot;  // Meaningless in a repository that the transaction creates.
};

// What HEAD goes by where it stands among references.
inline constexpr std::string_view kHeadName = "HEAD";

// In State::ref_names: not of a change in State::refs.
inline constexpr std::size_t kOnlyAsserted = SIZE_MAX;

// What a reference or HEAD must be right before the transaction.
struct Assertion {
  RepositoryId repository;
  std::string name;
  std::optional<RefValue> expected;
  std::optional<RefValue> in_snapshot;  // Or in the repository that the transaction creates.
  bool in_new_repository = false;
};

struct StagedKey {
  std::string key;
  std::optional<std::optional<std::string>> expected;
  std::optional<std::string> value;
  std::optional<std::string> in_snapshot;
};

struct StagedConfig {
  RepositoryId repository;
  std::string name;
  std::optional<std::vector<std::string>> expected;
  std::vector<std::string> values;
  std::vector<std::string> in_snapshot;
};

struct StagedConsumer {
  RepositoryId repository;
  std::string name;
  std::optional<Consumer> in_snapshot;
  std::optional<Consumer> value;  // As ConsumerChange::after.
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
  bool erase = false;                      // The one of the snapshot;
  std::optional<RepositoryCreate> create;  // then, perhaps, a new one takes its place.
  bool changed = false;                    // A reference, HEAD or pack was staged.
  bool asserted = false;                   // Something was asserted of a reference or HEAD.

  // What is left was looked at by calls that failed.
  bool matters() const { return changed || asserted || erase || create; }
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
  // Changed or asserted: where in `refs`. HEAD is among them.
  std::map<std::pair<RepositoryId, std::string>, std::size_t> ref_names;
  std::vector<internal::StagedHead> heads;
  std::vector<internal::Assertion> assertions;
  std::vector<internal::StagedConfig> configs;
  std::map<std::pair<RepositoryId, std::string>, std::size_t> config_names;  // Where in `configs`.
  std::vector<internal::StagedKey> keys;
  std::map<std::string, std::size_t, std::less<>> key_names;  // Where in `keys`.
  std::vector<internal::StagedConsumer> consumers;
  std::map<RepositoryId, internal::StagedRepository> repositories;
  std::vector<internal::StagedPack> packs;
  // Keys of the conflict window, and prefixes of such.
  internal::ReadSet reads;
  // Of what was read last, and the beginning of the keys of its references.
  std::optional<RepositoryId> reading;
  std::string reading_refs;
  std::set<std::string> prefix_reads;

  // Whoever chose its id may ask why it was aborted.
  bool named_by_client() const {
    return !options.id.empty() && options.named_by == NamedBy::kClient;
  }

  // Else nobody looks at what was read.
  bool checks_reads() const { return options.isolation == Isolation::kSerializable; }

  // Nothing was staged or asserted.
  bool only_reads() const {
    return refs.empty() && heads.empty() && assertions.empty() && configs.empty() && keys.empty() &&
           consumers.empty() && packs.empty() &&
           std::ranges::none_of(repositories, [](const auto& entry) {
             return entry.second.erase || entry.second.create;
           });
  }
};

}  // namespace quorate::txn
