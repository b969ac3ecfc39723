#include "txn/conflict.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::txn {
namespace {

std::string ValueText(const std::optional<RefValue>& value) {
  if (!value) {
    return "nothing";
  }
  return value->symref.empty() ? value->id.ToHex() : "ref: " + Printable(value->symref);
}

std::string What(const Conflict& conflict) {
  const std::string key = conflict.key.ToString();
  switch (conflict.kind) {
    case Conflict::Kind::kValueChanged:
      if (!conflict.expected && !conflict.found) {  // Not a reference.
        return key + ": not as expected";
      }
      return fmt::format("{}: expected {}, found {}", key, ValueText(conflict.expected),
                         ValueText(conflict.found));
    case Conflict::Kind::kNameConflict:
      return key + " is in the way";
    case Conflict::Kind::kReadChanged:
      return key + ": changed since it was read";
    case Conflict::Kind::kRepositoryGone:
      return key + " was deleted";
    case Conflict::Kind::kRepositoryExists:
      return key + " exists already";
  }
  return "unknown conflict";
}

}  // namespace

std::string TransactionId::ToHex() const {
  return HexEncode(bytes);
}

std::string ConflictKey::ToString() const {
  switch (kind) {
    case Kind::kRef:
      return Printable(name);
    case Kind::kHead:
      return "HEAD";
    case Kind::kRepository:
      return fmt::format("repository {}", repository.value);
    case Kind::kConfig:
      return "config " + Printable(name);
    case Kind::kKey:
      return "key " + Printable(name);
    case Kind::kConsumer:
      return "consumer " + Printable(name);
  }
  return "unknown key";
}

std::string Conflict::ToString() const {
  std::string text = What(*this);
  if (winner) {
    text += fmt::format(", written by transaction {} (entry {})", winner->transaction.ToHex(),
                        winner->lsn.value);
  }
  return text;
}

const Conflicts* ConflictOf(const Error& error) {
  return dynamic_cast<const Conflicts*>(error.detail());
}

const SnapshotTooOld* SnapshotTooOldOf(const Error& error) {
  return dynamic_cast<const SnapshotTooOld*>(error.detail());
}

Error ConflictError(Conflicts conflicts) {
  QUORATE_CHECK(!conflicts.all.empty());
  std::string message = conflicts.all.front().ToString();
  if (conflicts.all.size() > 1) {
    message += fmt::format(" (and {} more)", conflicts.all.size() - 1);
  }
  return Error(Code::kConflict, std::move(message))
      .WithDetail(std::make_shared<Conflicts>(std::move(conflicts)));
}

Error SnapshotTooOldError(Lsn snapshot, Lsn floor) {
  auto detail = std::make_shared<SnapshotTooOld>();
  detail->snapshot = snapshot;
  detail->floor = floor;
  return Error(
             Code::kConflict,
             fmt::format("snapshot too old: it is of entry {}, writes up to entry {} are forgotten",
                         snapshot.value, floor.value))
      .WithDetail(std::move(detail));
}

}  // namespace quorate::txn
