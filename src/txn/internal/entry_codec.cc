#include "txn/internal/entry_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"
#include "git/ref_name.h"
#include "git/repository_config.h"
#include "proto/log_entry.pb.h"

namespace quorate::txn::internal {
namespace {

constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kTransactionIdBytes = 16;

Error Damaged(std::string_view what) {
  return Error(Code::kCorruption, fmt::format("log entry: {}", what));
}

void ToProto(const RefValue& value, proto::RefValue& out) {
  if (!value.symref.empty()) {
    out.set_symref(value.symref);
    return;
  }
  out.set_id(std::string(value.id.raw()));
  if (value.peeled) {
    out.set_peeled(std::string(value.peeled->raw()));
  }
}

void ToProto(const Consumer& consumer, proto::ConsumerPosition& out) {
  out.set_acknowledged(consumer.acknowledged.value);
  out.set_created(consumer.created.value);
  out.set_lost_first(consumer.lost_first.value);
  out.set_lost_last(consumer.lost_last.value);
}

// One overload for each kind of change.
struct ChangeWriter {
  proto::Operation& out;

  void operator()(RefChange& change) const {
    proto::RefChange& to = *out.mutable_ref();
    to.set_repository(change.repository.value);
    to.set_name(std::move(change.name));
    if (change.before) {
      ToProto(*change.before, *to.mutable_old());
    }
    if (change.after) {
      ToProto(*change.after, *to.mutable_new_());
    }
  }
  void operator()(HeadChange& change) const {
    proto::HeadChange& to = *out.mutable_head();
    to.set_repository(change.repository.value);
    ToProto(change.before, *to.mutable_old());
    ToProto(change.after, *to.mutable_new_());
  }
  void operator()(PackAdd& change) const {
    proto::PackAdd& to = *out.mutable_pack();
    to.set_repository(change.repository.value);
    to.set_sha256(std::string(change.pack.digest.view()));
    to.set_size(change.pack.size);
    to.set_objects(change.pack.objects);
    to.set_inline_(std::move(change.pack.inline_bytes));
  }
  void operator()(RepositoryCreate& change) const {
    proto::RepositoryCreate& to = *out.mutable_create();
    to.set_repository(change.repository.value);
    to.set_object_format(static_cast<std::uint32_t>(change.format));
    to.set_default_branch(std::move(change.default_branch));
  }
  void operator()(RepositoryDelete& change) const {
    out.mutable_delete_()->set_repository(change.repository.value);
  }
  void operator()(KeyChange& change) const {
    proto::KeyChange& to = *out.mutable_key();
    to.set_key(std::move(change.key));
    if (change.before) {
      to.set_old(*std::move(change.before));
    }
    if (change.after) {
      to.set_new_(*std::move(change.after));
    }
  }
  void operator()(ConfigChange& change) const {
    proto::ConfigChange& to = *out.mutable_config();
    to.set_repository(change.repository.value);
    to.set_name(std::move(change.name));
    for (std::string& value : change.before) {
      to.add_old(std::move(value));
    }
    for (std::string& value : change.after) {
      to.add_new_(std::move(value));
    }
  }
  void operator()(ConsumerChange& change) const {
    proto::ConsumerChange& to = *out.mutable_consumer();
    to.set_repository(change.repository.value);
    to.set_name(std::move(change.name));
    if (change.before) {
      ToProto(*change.before, *to.mutable_old());
    }
    if (change.after) {
      ToProto(*change.after, *to.mutable_new_());
    }
  }
};

Result<git::ObjectId> IdFromProto(std::string_view raw) {
  const auto format = raw.size() == git::RawSize(git::ObjectFormat::kSha1)
                          ? git::ObjectFormat::kSha1
                          : git::ObjectFormat::kSha256;
  const std::optional<git::ObjectId> id = git::ObjectId::FromRaw(format, raw);
  if (!id || id->IsZero()) {
    return Damaged("an object id is not one");
  }
  return *id;
}

Result<RefValue> FromProto(const proto::RefValue& value) {
  RefValue out;
  if (!value.symref().empty()) {
    if (!value.id().empty() || !value.peeled().empty()) {
      return Damaged("a reference is both symbolic and direct");
    }
    out.symref = value.symref();
    return out;
  }
  out.id = QUORATE_TRY(IdFromProto(value.id()));
  if (!value.peeled().empty()) {
    const git::ObjectId peeled = QUORATE_TRY(IdFromProto(value.peeled()));
    if (peeled.format() != out.id.format()) {
      return Damaged("a tag and its target have different formats");
    }
    out.peeled = peeled;
  }
  return out;
}

Result<RepositoryId> RepositoryFromProto(std::uint64_t repository) {
  if (repository == 0) {
    return Damaged("repository 0");
  }
  return RepositoryId{repository};
}

Result<Change> FromProto(proto::RefChange& from) {
  RefChange change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  change.name = std::move(*from.mutable_name());
  if (!git::IsValidRefName(change.name)) {
    return Damaged("a reference's name is not valid");
  }
  if (from.has_old()) {
    change.before = QUORATE_TRY(FromProto(from.old()));
  }
  if (from.has_new_()) {
    change.after = QUORATE_TRY(FromProto(from.new_()));
  }
  return Change(std::move(change));
}

Result<Change> FromProto(proto::HeadChange& from) {
  HeadChange change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  change.before = QUORATE_TRY(FromProto(from.old()));
  change.after = QUORATE_TRY(FromProto(from.new_()));
  return Change(std::move(change));
}

Result<Change> FromProto(proto::PackAdd& from) {
  PackAdd change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  if (from.sha256().size() != change.pack.digest.bytes.size()) {
    return Damaged("a pack's digest has not 32 bytes");
  }
  std::copy(from.sha256().begin(), from.sha256().end(), change.pack.digest.bytes.begin());
  change.pack.size = from.size();
  change.pack.objects = from.objects();
  change.pack.inline_bytes = std::move(*from.mutable_inline_());
  if (!change.pack.inline_bytes.empty() && change.pack.inline_bytes.size() != from.size()) {
    return Damaged("an inline pack has not its size");
  }
  return Change(std::move(change));
}

Result<Change> FromProto(proto::RepositoryCreate& from) {
  RepositoryCreate change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  if (from.object_format() != static_cast<std::uint32_t>(git::ObjectFormat::kSha1) &&
      from.object_format() != static_cast<std::uint32_t>(git::ObjectFormat::kSha256)) {
    return Damaged("unknown object format");
  }
  change.format = git::ObjectFormat{static_cast<std::uint8_t>(from.object_format())};
  change.default_branch = std::move(*from.mutable_default_branch());
  if (!git::IsValidRefName(change.default_branch)) {
    return Damaged("the default branch's name is not valid");
  }
  return Change(std::move(change));
}

Result<Change> FromProto(proto::RepositoryDelete& from) {
  RepositoryDelete change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  return Change(change);
}

Result<Change> FromProto(proto::KeyChange& from) {
  KeyChange change;
  change.key = std::move(*from.mutable_key());
  if (from.has_old()) {
    change.before = std::move(*from.mutable_old());
  }
  if (from.has_new_()) {
    change.after = std::move(*from.mutable_new_());
  }
  return Change(std::move(change));
}

Result<std::vector<std::string>> ConfigValues(
    google::protobuf::RepeatedPtrField<std::string>& from) {
  if (!std::ranges::all_of(from, git::IsConfigValue)) {
    return Damaged("a value of the configuration is not one");
  }
  return std::vector<std::string>(std::make_move_iterator(from.begin()),
                                  std::make_move_iterator(from.end()));
}

Result<Change> FromProto(proto::ConfigChange& from) {
  ConfigChange change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  change.name = std::move(*from.mutable_name());
  if (git::CanonicalConfigName(change.name) != change.name) {
    return Damaged("a name of the configuration is not canonical");
  }
  change.before = QUORATE_TRY(ConfigValues(*from.mutable_old()));
  change.after = QUORATE_TRY(ConfigValues(*from.mutable_new_()));
  return Change(std::move(change));
}

Consumer FromProto(const ConsumerChange& change, const proto::ConsumerPosition& from) {
  return {.repository = change.repository,
          .name = change.name,
          .acknowledged = Lsn{from.acknowledged()},
          .created = Lsn{from.created()},
          .lost_first = Lsn{from.lost_first()},
          .lost_last = Lsn{from.lost_last()}};
}

Result<Change> FromProto(proto::ConsumerChange& from) {
  ConsumerChange change;
  change.repository = QUORATE_TRY(RepositoryFromProto(from.repository()));
  change.name = std::move(*from.mutable_name());
  if (!CheckConsumerName(change.name)) {
    return Damaged("a consumer's name is not valid");
  }
  if (from.has_old()) {
    change.before = FromProto(change, from.old());
  }
  if (from.has_new_()) {
    change.after = FromProto(change, from.new_());
  }
  return Change(std::move(change));
}

Result<Change> FromProto(proto::Operation& from) {
  switch (from.kind_case()) {
    case proto::Operation::kRef:
      return FromProto(*from.mutable_ref());
    case proto::Operation::kHead:
      return FromProto(*from.mutable_head());
    case proto::Operation::kPack:
      return FromProto(*from.mutable_pack());
    case proto::Operation::kCreate:
      return FromProto(*from.mutable_create());
    case proto::Operation::kDelete:
      return FromProto(*from.mutable_delete_());
    case proto::Operation::kKey:
      return FromProto(*from.mutable_key());
    case proto::Operation::kConfig:
      return FromProto(*from.mutable_config());
    case proto::Operation::kConsumer:
      return FromProto(*from.mutable_consumer());
    case proto::Operation::KIND_NOT_SET:
      break;
  }
  return Damaged("a kind of change that this version does not know");
}

}  // namespace

Consumer AtEntry(Consumer after, Lsn lsn) {
  if (after.created == Lsn{}) {
    after.created = lsn;
    after.acknowledged = lsn;
  }
  if (after.cut_off() && after.lost_last == Lsn{}) {
    after.lost_last = lsn;
  }
  return after;
}

std::string EncodeRecord(LogRecord record) {
  proto::LogEntry entry;
  entry.set_format(kFormat);
  entry.set_transaction_id(std::move(record.transaction_id));
  entry.set_actor(std::move(record.actor));
  entry.set_time_unix_micros(record.time_unix_micros);
  for (Change& change : record.changes) {
    std::visit(ChangeWriter{*entry.add_operations()}, change);
  }
  for (std::string& option : record.push_options) {
    entry.add_push_options(std::move(option));
  }
  std::string data;
  QUORATE_CHECK(entry.SerializeToString(&data));
  return data;
}

Result<LogRecord> DecodeRecord(std::string_view data) {
  proto::LogEntry entry;
  if (data.size() > std::numeric_limits<int>::max() ||
      !entry.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    return Damaged("not readable");
  }
  if (entry.format() != kFormat) {
    return Damaged(fmt::format("format {} is not known to this version", entry.format()));
  }
  if (entry.transaction_id().size() != kTransactionIdBytes) {
    return Damaged("a transaction's id has not 16 bytes");
  }
  LogRecord record;
  record.transaction_id = std::move(*entry.mutable_transaction_id());
  record.actor = std::move(*entry.mutable_actor());
  record.time_unix_micros = entry.time_unix_micros();
  for (proto::Operation& operation : *entry.mutable_operations()) {
    Change change = QUORATE_TRY(FromProto(operation));
    record.changes.push_back(std::move(change));
  }
  for (std::string& option : *entry.mutable_push_options()) {
    record.push_options.push_back(std::move(option));
  }
  return record;
}

}  // namespace quorate::txn::internal
