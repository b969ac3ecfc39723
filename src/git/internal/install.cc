#include "git/internal/install.h"

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/fault_point.h"
#include "git/internal/index_pack.h"
#include "git/internal/quarantined.h"
#include "git/internal/small_check.h"

namespace quorate::git::internal {
namespace {

Error Wrapped(const Error& error, const PackRecord& record) {
  // A pack that was checked before it was committed cannot be malformed now, unless it was damaged.
  const Code code = error.code() == Code::kInvalidArgument ? Code::kCorruption : error.code();
  return {code, "install pack " + record.digest.ToHex() + ": " + error.message()};
}

Status WriteLoose(StoreContext& context, const std::vector<UnpackedObject>& objects,
                  LooseObjects::Existing existing) {
  for (const UnpackedObject& object : objects) {
    QUORATE_TRY(context.loose.Write(object.id, object.type, object.content, existing));
    QUORATE_FAULT("git.install_between_files");
  }
  return Ok();
}

// Git finds a pack by its index, so the pack must be there first.
Status MoveIntoPlace(StoreContext& context, const PackRecord& record, const std::string& pack,
                     const std::string& index) {
  QUORATE_TRY(context.files.Rename(pack, context.InstalledPath(record.digest, ".pack")));
  QUORATE_FAULT("git.install_between_files");
  return context.files.Rename(index, context.InstalledPath(record.digest, ".idx"));
}

Status IndexAndMove(StoreContext& context, const PackRecord& record) {
  const std::unique_ptr<IndexPack> indexing =
      QUORATE_TRY(IndexPack::Start(context, IndexPack::Checks::kNone, nullptr, {}));
  QUORATE_TRY(indexing->Write(record.inline_bytes));
  QUORATE_TRY(indexing->Finish());
  return MoveIntoPlace(context, record, indexing->pack_path(), indexing->index_path());
}

Status InstallInline(StoreContext& context, const PackRecord& record,
                     const QuarantinedPack* local) {
  if (const auto* small = dynamic_cast<const SmallPack*>(local)) {
    return WriteLoose(context, small->objects(), LooseObjects::Existing::kTrust);
  }
  if (Sha256(record.inline_bytes) != record.digest) {
    return Error(Code::kCorruption, "its bytes do not have its digest");
  }
  if (record.objects <= context.options.unpack_objects_max) {
    const Result<std::vector<UnpackedObject>> objects =
        ReadPack(context.format, record.inline_bytes, SmallPackLimits(context.options),
                 StoreBases(context.reader));
    if (objects) {
      return WriteLoose(context, *objects, LooseObjects::Existing::kReplace);
    }
    if (objects.error().code() != Code::kResourceExhausted) {
      return objects.error();
    }
  }
  if (const auto* indexed = dynamic_cast<const IndexedPack*>(local)) {
    return MoveIntoPlace(context, record, indexed->quarantine().pack_path(),
                         indexed->quarantine().index_path());
  }
  return IndexAndMove(context, record);
}

// Each of the two files is in staged/, or was moved by an earlier attempt.
Status InstallStaged(StoreContext& context, const PackRecord& record,
                     const QuarantinedPack* local) {
  const auto* indexed = dynamic_cast<const IndexedPack*>(local);
  QUORATE_CHECK(indexed == nullptr || indexed->persisted());
  for (const std::string_view suffix : {".pack", ".idx"}) {
    const std::string staged = context.StagedPath(record.digest, suffix);
    const std::string installed = context.InstalledPath(record.digest, suffix);
    if (context.files.Exists(staged)) {
      QUORATE_TRY(context.files.Rename(staged, installed));
    } else if (!context.files.Exists(installed)) {
      return Error(Code::kCorruption, staged + " is missing");
    }
    QUORATE_FAULT("git.install_between_files");
  }
  const std::uint64_t size =
      QUORATE_TRY(context.files.FileSize(context.InstalledPath(record.digest, ".pack")));
  if (size != record.size) {
    return Error(Code::kCorruption, "it has " + std::to_string(size) + " bytes instead of " +
                                        std::to_string(record.size));
  }
  return Ok();
}

}  // namespace

Status InstallPack(StoreContext& context, const PackRecord& record, const QuarantinedPack* local) {
  QUORATE_CHECK(local == nullptr || local->record().digest == record.digest);
  QUORATE_FAULT("git.before_install");
  QUORATE_TRY(QUORATE_FAULT_STATUS("git.install"));
  const Status installed = record.inline_bytes.empty() ? InstallStaged(context, record, local)
                                                       : InstallInline(context, record, local);
  if (!installed) {
    return Wrapped(installed.error(), record);
  }
  QUORATE_FAULT("git.after_install");
  return Ok();
}

}  // namespace quorate::git::internal
