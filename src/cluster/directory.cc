#include "cluster/directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::cluster {
namespace {

constexpr char kFormatVersion = 1;
constexpr std::string_view kNamePrefix = "repository/";
constexpr std::string_view kNextPartitionKey = "next-partition";
constexpr std::uint64_t kReservedIds = 64;  // At once, so that not every creation writes the key.
constexpr std::size_t kFixedBytes = 1 + 1 + 1 + 8;  // Version, state, object format, partition.

std::string NameKey(std::string_view name) {
  return std::string(kNamePrefix).append(name);
}

std::string EncodeId(PartitionId id) {
  std::string bytes;
  AppendBigEndian64(bytes, id.value);
  return bytes;
}

std::optional<std::string> Encoded(const std::optional<DirectoryRecord>& record) {
  return record ? std::optional(record->Encode()) : std::nullopt;
}

// The key must have this value (or not exist) at commit.
using Expectation = std::optional<std::optional<std::string>>;
Expectation Expect(const std::optional<DirectoryRecord>& record) {
  return Expectation(std::in_place, Encoded(record));
}

Error Damaged(std::string_view what) {
  return Error(Code::kCorruption, fmt::format("directory record: {}", what));
}

}  // namespace

std::string DirectoryRecord::Encode() const {
  std::string bytes = {kFormatVersion, static_cast<char>(state), static_cast<char>(format)};
  AppendBigEndian64(bytes, partition.value);
  bytes += default_branch;
  return bytes;
}

Result<DirectoryRecord> DirectoryRecord::Decode(std::string_view bytes) {
  if (bytes.size() < kFixedBytes) {
    return Damaged(fmt::format("{} bytes are too few", bytes.size()));
  }
  if (bytes[0] != kFormatVersion) {
    return Damaged(fmt::format("format {} is unknown", static_cast<unsigned char>(bytes[0])));
  }
  DirectoryRecord record;
  record.state = static_cast<State>(bytes[1]);
  if (record.state < State::kCreating || record.state > State::kDeleting) {
    return Damaged("its state is unknown");
  }
  record.format = static_cast<git::ObjectFormat>(bytes[2]);
  if (record.format != git::ObjectFormat::kSha1 && record.format != git::ObjectFormat::kSha256) {
    return Damaged("its object format is unknown");
  }
  record.partition = PartitionId{ReadBigEndian64(bytes.substr(3))};
  if (record.partition <= kMetaPartition) {
    return Damaged("its partition cannot hold a repository");
  }
  record.default_branch = std::string(bytes.substr(kFixedBytes));
  return record;
}

Directory::Directory(txn::TransactionManager& meta, env::Strand& strand)
    : meta_(meta), strand_(strand) {
}

Result<std::vector<std::pair<std::string, DirectoryRecord>>> ReadDirectory(
    const txn::Snapshot& meta) {
  std::vector<std::pair<std::string, DirectoryRecord>> records;
  Status decoded;
  const auto visit = [&](std::string_view key, std::string_view value) {
    Result<DirectoryRecord> record = DirectoryRecord::Decode(value);
    if (!record) {
      decoded = std::move(record).error().Wrap(Printable(key));
      return false;
    }
    records.emplace_back(key.substr(kNamePrefix.size()), *std::move(record));
    return true;
  };
  QUORATE_TRY(meta.ForEachKey(kNamePrefix, visit));
  QUORATE_TRY(decoded);
  return records;
}

Status Directory::Load() {
  const txn::Snapshot snapshot = QUORATE_TRY(meta_.LocalSnapshot());
  const std::lock_guard lock(mutex_);
  for (auto& [name, record] : QUORATE_TRY(ReadDirectory(snapshot))) {
    next_partition_ = std::max(next_partition_, record.partition.Next());
    records_.emplace(name, std::move(record));
  }
  const std::optional<std::string> next = QUORATE_TRY(snapshot.FindKey(kNextPartitionKey));
  if (next) {
    if (next->size() != 8) {
      return Damaged("next-partition is not a number");
    }
    reserved_ = PartitionId{ReadBigEndian64(*next)};
    next_partition_ = std::max(next_partition_, *reserved_);
  }
  return Ok();
}

std::optional<DirectoryRecord> Directory::Find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(name);
  return found == records_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::pair<std::string, DirectoryRecord>> Directory::List() const {
  const std::lock_guard lock(mutex_);
  return {records_.begin(), records_.end()};
}

std::size_t Directory::size() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

PartitionId Directory::next_partition() const {
  const std::lock_guard lock(mutex_);
  return next_partition_;
}

// A later transaction in the log is committed only with all before it, so those that take their ids
// from a block need not wait for the one that reserves it.
void Directory::Add(std::string name, DirectoryRecord record,
                    Callback<Result<DirectoryRecord>> done) {
  strand_.Post(
      [this, name = std::move(name), record = std::move(record), done = std::move(done)]() mutable {
        if (Find(name)) {
          std::move(done)(Error(Code::kAlreadyExists, fmt::format("repository {} exists", name)));
          return;
        }
        const std::optional<Reservation> reservation = TakeId(record.partition);
        Result<txn::Transaction> staged = StageAdd(name, record, reservation);
        Commit(std::move(name), std::move(staged), record,
               [this, record, reservation, done = std::move(done)](Status committed) mutable {
                 if (committed) {
                   std::move(done)(std::move(record));
                   return;
                 }
                 if (reservation) {
                   Unreserve(*reservation);
                 }
                 std::move(done)(std::move(committed).error());
               });
      });
}

std::optional<Directory::Reservation> Directory::TakeId(PartitionId& id) {
  const std::lock_guard lock(mutex_);
  id = std::exchange(next_partition_, next_partition_.Next());
  if (reserved_ && id < *reserved_) {
    return std::nullopt;
  }
  const Reservation reservation{.before = reserved_, .after = PartitionId{id.value + kReservedIds}};
  reserved_ = reservation.after;
  return reservation;
}

void Directory::Unreserve(const Reservation& reservation) {
  const std::lock_guard lock(mutex_);
  if (reserved_ == reservation.after) {
    reserved_ = reservation.before;
  }
}

Result<txn::Transaction> Directory::StageAdd(const std::string& name, const DirectoryRecord& record,
                                             const std::optional<Reservation>& reservation) {
  txn::Transaction transaction = QUORATE_TRY(Stage(name, std::nullopt, record));
  if (reservation) {
    const auto stored =
        reservation->before ? std::optional(EncodeId(*reservation->before)) : std::nullopt;
    QUORATE_TRY(transaction.StageKey(std::string(kNextPartitionKey),
                                     Expectation(std::in_place, stored),
                                     EncodeId(reservation->after)));
  }
  return transaction;
}

void Directory::SetState(std::string name, DirectoryRecord::State state, ChangeDone done) {
  strand_.Post([this, name = std::move(name), state, done = std::move(done)]() mutable {
    std::optional<DirectoryRecord> before = Find(name);
    QUORATE_CHECK(before.has_value());
    DirectoryRecord after = *before;
    after.state = state;
    Change(std::move(name), before, std::move(after), std::move(done));
  });
}

void Directory::Remove(std::string name, ChangeDone done) {
  strand_.Post([this, name = std::move(name), done = std::move(done)]() mutable {
    std::optional<DirectoryRecord> before = Find(name);
    QUORATE_CHECK(before.has_value());
    Change(std::move(name), before, std::nullopt, std::move(done));
  });
}

void Directory::Change(std::string name, const std::optional<DirectoryRecord>& before,
                       std::optional<DirectoryRecord> after, ChangeDone done) {
  Result<txn::Transaction> staged = Stage(name, before, after);
  Commit(std::move(name), std::move(staged), std::move(after), std::move(done));
}

void Directory::Commit(std::string name, Result<txn::Transaction> staged,
                       std::optional<DirectoryRecord> after, ChangeDone done) {
  if (!staged) {
    std::move(done)(std::move(staged).error());
    return;
  }
  meta_.Commit(*std::move(staged),
               [this, name = std::move(name), after = std::move(after),
                done = std::move(done)](Result<txn::CommitOutcome> outcome) mutable {
                 if (!outcome) {
                   std::move(done)(std::move(outcome).error());
                   return;
                 }
                 Remember(name, after);
                 std::move(done)(Ok());
               });
}

Result<txn::Transaction> Directory::Stage(const std::string& name,
                                          const std::optional<DirectoryRecord>& before,
                                          const std::optional<DirectoryRecord>& after) {
  txn::TransactionOptions options;
  options.actor = "quorate";
  txn::Transaction transaction = QUORATE_TRY(meta_.Begin(std::move(options)));
  QUORATE_TRY(transaction.StageKey(NameKey(name), Expect(before), Encoded(after)));
  return transaction;
}

void Directory::Remember(const std::string& name, const std::optional<DirectoryRecord>& after) {
  const std::lock_guard lock(mutex_);
  if (after) {
    records_.insert_or_assign(name, *after);
  } else {
    records_.erase(name);
  }
}

}  // namespace quorate::cluster
