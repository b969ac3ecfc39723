// The two kinds of quarantined packs: objects in memory, and a pack in a directory.
#pragma once

#include <memory>
#include <utility>

#include "git/internal/index_pack.h"
#include "git/internal/small_check.h"
#include "git/internal/store_context.h"
#include "git/pack_installer.h"

namespace quorate::git::internal {

// Nothing of it is on disk.
class SmallPack final : public QuarantinedPack {
 public:
  SmallPack(PackRecord record, std::shared_ptr<const SmallPackObjects> small)
      : record_(std::move(record)), small_(std::move(small)) {}

  const PackRecord& record() const override { return record_; }
  Status Persist() override { return Ok(); }
  Status Discard() override { return Ok(); }

  const std::vector<UnpackedObject>& objects() const { return small_->objects; }

 private:
  const PackRecord record_;
  const std::shared_ptr<const SmallPackObjects> small_;
};

// In incoming/ until Persist() moves it to staged/, if it is not inline.
class IndexedPack final : public QuarantinedPack {
 public:
  IndexedPack(StoreContext& context, PackRecord record, std::shared_ptr<IndexPack> quarantine)
      : context_(context), record_(std::move(record)), quarantine_(std::move(quarantine)) {}
  ~IndexedPack() override;
  IndexedPack(const IndexedPack&) = delete;
  IndexedPack& operator=(const IndexedPack&) = delete;

  const PackRecord& record() const override { return record_; }
  Status Persist() override;
  Status Discard() override;
  void OnInstalled();

  const IndexPack& quarantine() const { return *quarantine_; }
  bool persisted() const { return persisted_; }

 private:
  Status MoveToStaged();

  StoreContext& context_;
  const PackRecord record_;
  const std::shared_ptr<IndexPack> quarantine_;
  bool persisted_ = false;
};

// The record of a finished pack: digested in pieces, and inline if it is small.
Result<PackRecord> RecordOf(StoreContext& context, const std::string& pack_path);

}  // namespace quorate::git::internal
