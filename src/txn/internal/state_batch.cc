#include "txn/internal/state_batch.h"

#include <algorithm>
#include <utility>

#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn::internal {

using kv::Family;

Result<std::optional<std::string>> StateBatch::Get(const std::string& key) const {
  if (const auto at = entry_.find(key); at != entry_.end()) {
    return at->second;
  }
  const auto covers = [&key](const std::string& prefix) { return key.starts_with(prefix); };
  if (std::ranges::any_of(entry_deleted_, covers)) {
    return std::optional<std::string>();
  }
  if (const auto at = ended_.find(key); at != ended_.end()) {
    return at->second;
  }
  return store_.Get(Family::kState, key);
}

Result<std::optional<RepositoryInfo>> StateBatch::GetRepository(RepositoryId id) const {
  for (const Repositories* changed : {&entry_repositories_, &ended_repositories_}) {
    if (const auto at = changed->find(id); at != changed->end()) {
      return at->second;
    }
  }
  if (repository_ != nullptr && repository_->id == id) {
    return std::optional(*repository_);
  }
  const auto bytes = QUORATE_TRY(store_.Get(Family::kState, RepositoryKey(partition_, id)));
  if (!bytes) {
    return std::optional<RepositoryInfo>();
  }
  RepositoryInfo info = QUORATE_TRY(DecodeRepository(id, *bytes));
  return std::optional(std::move(info));
}

void StateBatch::Set(std::string key, std::optional<std::string> value) {
  entry_.insert_or_assign(std::move(key), std::move(value));
}

void StateBatch::SetRepository(RepositoryId id, std::optional<RepositoryInfo> info) {
  entry_repositories_.insert_or_assign(id, std::move(info));
}

void StateBatch::DeletePrefix(const std::string& prefix) {
  const auto first = entry_.lower_bound(prefix);
  entry_.erase(first, entry_.lower_bound(PrefixEnd(prefix)));
  entry_deleted_.push_back(prefix);
}

void StateBatch::EndEntry(Position position) {
  if (!entry_deleted_.empty()) {
    MoveTo(first_, ended_);
    for (const std::string& prefix : entry_deleted_) {
      first_.DeleteRange(Family::kState, prefix, PrefixEnd(prefix));
    }
    must_flush_ = true;
  }
  while (!entry_.empty()) {
    auto change = entry_.extract(entry_.begin());
    bytes_ += change.key().size() + (change.mapped() ? change.mapped()->size() : 0);
    ended_.insert_or_assign(std::move(change.key()), std::move(change.mapped()));
  }
  for (auto& [id, info] : entry_repositories_) {
    ended_repositories_.insert_or_assign(id, std::move(info));
  }
  DropEntry();
  position_ = position;
}

void StateBatch::DropEntry() {
  entry_.clear();
  entry_repositories_.clear();
  entry_deleted_.clear();
}

kv::WriteBatch StateBatch::Take() {
  if (position_) {
    ended_.insert_or_assign(AppliedKey(partition_), EncodePosition(*position_));
  }
  for (auto& [id, info] : ended_repositories_) {
    ended_.insert_or_assign(RepositoryKey(partition_, id),
                            info ? std::optional(EncodeRepository(*info)) : std::nullopt);
    if (info) {
      repository_ = std::make_shared<const RepositoryInfo>(*std::move(info));
    } else if (repository_ != nullptr && repository_->id == id) {
      repository_ = nullptr;
    }
  }
  ended_repositories_.clear();
  MoveTo(first_, ended_);
  position_.reset();
  bytes_ = 0;
  must_flush_ = false;
  return std::exchange(first_, {});
}

void StateBatch::MoveTo(kv::WriteBatch& batch, Changes& changes) {
  while (!changes.empty()) {
    auto change = changes.extract(changes.begin());
    if (change.mapped()) {
      batch.Put(Family::kState, std::move(change.key()), *std::move(change.mapped()));
    } else {
      batch.Delete(Family::kState, std::move(change.key()));
    }
  }
}

}  // namespace quorate::txn::internal
