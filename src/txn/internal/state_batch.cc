#include "txn/internal/state_batch.h"

#include <algorithm>
#include <utility>

#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"

namespace quorate::txn::internal {

using kv::Family;

Result<std::optional<std::string>> StateBatch::Get(const std::string& key) const {
  if (const auto at = entry_overlay_.find(key); at != entry_overlay_.end()) {
    return at->second;
  }
  const auto covers = [&key](const std::string& prefix) { return key.starts_with(prefix); };
  if (std::ranges::any_of(entry_deleted_, covers)) {
    return std::optional<std::string>();
  }
  if (const auto at = overlay_.find(key); at != overlay_.end()) {
    return at->second;
  }
  return store_.Get(Family::kState, key);
}

Result<std::optional<RepositoryInfo>> StateBatch::GetRepository(RepositoryId id) const {
  const auto bytes = QUORATE_TRY(Get(RepositoryKey(partition_, id)));
  if (!bytes) {
    return std::optional<RepositoryInfo>();
  }
  RepositoryInfo info = QUORATE_TRY(DecodeRepository(id, *bytes));
  return std::optional(std::move(info));
}

void StateBatch::Set(std::string key, std::optional<std::string> value) {
  entry_overlay_[key] = value;
  if (value) {
    entry_batch_.Put(Family::kState, std::move(key), *std::move(value));
  } else {
    entry_batch_.Delete(Family::kState, std::move(key));
  }
}

void StateBatch::PutUnread(std::string key, std::string value) {
  entry_batch_.Put(Family::kState, std::move(key), std::move(value));
}

void StateBatch::DeleteUnread(std::string key) {
  entry_batch_.Delete(Family::kState, std::move(key));
}

void StateBatch::DeletePrefix(const std::string& prefix) {
  entry_batch_.DeleteRange(Family::kState, prefix, PrefixEnd(prefix));
  std::erase_if(entry_overlay_,
                [&prefix](const auto& set) { return set.first.starts_with(prefix); });
  entry_deleted_.push_back(prefix);
  must_flush_ = true;
}

void StateBatch::EndEntry(Position position) {
  batch_.Append(std::exchange(entry_batch_, {}));
  for (auto& [key, value] : entry_overlay_) {
    overlay_[key] = std::move(value);
  }
  entry_overlay_.clear();
  entry_deleted_.clear();
  position_ = position;
}

void StateBatch::DropEntry() {
  entry_batch_ = {};
  entry_overlay_.clear();
  entry_deleted_.clear();
}

kv::WriteBatch StateBatch::Take() {
  if (position_) {
    batch_.Put(Family::kState, AppliedKey(partition_), EncodePosition(*position_));
  }
  overlay_.clear();
  position_.reset();
  must_flush_ = false;
  return std::exchange(batch_, {});
}

}  // namespace quorate::txn::internal
