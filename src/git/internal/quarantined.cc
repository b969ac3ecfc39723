#include "git/internal/quarantined.h"

#include <filesystem>
#include <string>

#include "base/fault_point.h"

namespace quorate::git::internal {

IndexedPack::~IndexedPack() {
  if (persisted_) {
    context_.staged_packs.Leave(record_.digest);
  }
}

Status IndexedPack::Persist() {
  if (!record_.inline_bytes.empty() || persisted_) {
    return Ok();
  }
  QUORATE_FAULT("git.before_persist");
  // Held first: nobody may drop it between its move and our mark.
  context_.staged_packs.Hold(record_.digest);
  persisted_ = true;
  Status moved = MoveToStaged();
  if (!moved) {
    // No entry will name it. What cannot be removed goes when staged/ is next cleaned.
    static_cast<void>(Discard());
    return moved;
  }
  QUORATE_FAULT("git.after_persist");
  return Ok();
}

Status IndexedPack::MoveToStaged() {
  env::FileSystem& files = context_.files;
  QUORATE_TRY(QUORATE_FAULT_STATUS("git.persist"));
  QUORATE_TRY(files.Sync(quarantine_->pack_path()));
  QUORATE_TRY(files.Sync(quarantine_->index_path()));
  QUORATE_TRY(files.Rename(quarantine_->pack_path(), context_.StagedPath(record_.digest, ".pack")));
  QUORATE_FAULT("git.persist_between_files");
  QUORATE_TRY(files.Rename(quarantine_->index_path(), context_.StagedPath(record_.digest, ".idx")));
  // The name, and the names of the folders that lead to it: the store may have been made just now.
  QUORATE_TRY(files.Sync(context_.staged()));
  QUORATE_TRY(files.Sync(context_.root));
  return files.Sync(std::filesystem::path(context_.root).parent_path().string());
}

Status IndexedPack::Discard() {
  if (!persisted_) {
    return Ok();
  }
  persisted_ = false;
  return context_.staged_packs.Discard(record_.digest, [this]() -> Status {
    QUORATE_TRY(context_.files.RemoveAll(context_.StagedPath(record_.digest, ".idx")));
    return context_.files.RemoveAll(context_.StagedPath(record_.digest, ".pack"));
  });
}

void IndexedPack::OnInstalled() {
  if (persisted_) {
    persisted_ = false;
    context_.staged_packs.Release(record_.digest);
  }
}

Result<PackRecord> RecordOf(StoreContext& context, const std::string& pack_path) {
  constexpr std::size_t kPieceBytes = 1 << 20;
  PackRecord record;
  record.size = QUORATE_TRY(context.files.FileSize(pack_path));
  const bool is_inline = record.size <= context.options.inline_bytes_max;
  Sha256Hasher hasher;
  for (std::uint64_t at = 0; at < record.size;) {
    const std::string piece = QUORATE_TRY(context.files.ReadRange(pack_path, at, kPieceBytes));
    if (piece.empty()) {
      return Error(Code::kInternal, pack_path + " became shorter");
    }
    if (at == 0) {
      record.objects = QUORATE_TRY(ParsePackHeader(piece)).objects;
    }
    hasher.Update(piece);
    at += piece.size();
    if (is_inline) {
      record.inline_bytes += piece;
    }
  }
  record.digest = hasher.Finish();
  return record;
}

}  // namespace quorate::git::internal
