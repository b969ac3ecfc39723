#include "txn/internal/state_keys.h"

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::txn::internal {
namespace {

constexpr std::size_t kPartitionBytes = 8;
constexpr std::size_t kKindBytes = 1;
constexpr std::size_t kRepositoryBytes = 8;
constexpr std::size_t kRefNameAt = kPartitionBytes + kKindBytes + kRepositoryBytes;
constexpr std::size_t kUserKeyAt = kPartitionBytes + kKindBytes;
constexpr std::size_t kHistoryKeyBytes = kRefNameAt + 8 + 4;

std::string KeyOf(PartitionId partition, char kind) {
  std::string key;
  AppendBigEndian64(key, partition.value);
  key += kind;
  return key;
}

std::string KeyOf(PartitionId partition, char kind, RepositoryId repository) {
  std::string key = KeyOf(partition, kind);
  AppendBigEndian64(key, repository.value);
  return key;
}

}  // namespace

std::string AppliedKey(PartitionId partition) {
  return KeyOf(partition, 'A');
}

std::string ObjectsDurableKey(PartitionId partition) {
  return KeyOf(partition, 'O');
}

std::string RepositoryKey(PartitionId partition, RepositoryId repository) {
  return KeyOf(partition, 'I', repository);
}

std::string RefKey(PartitionId partition, RepositoryId repository, std::string_view name) {
  return KeyOf(partition, 'R', repository).append(name);
}

std::string_view RefNameOfKey(std::string_view key) {
  QUORATE_CHECK(key.size() >= kRefNameAt);
  return key.substr(kRefNameAt);
}

std::string ConfigKey(PartitionId partition, RepositoryId repository, std::string_view name) {
  return KeyOf(partition, 'C', repository).append(name);
}

std::string_view NameOfConfigKey(std::string_view key) {
  return RefNameOfKey(key);  // Both stand behind the repository.
}

std::string UserKey(PartitionId partition, std::string_view key) {
  return KeyOf(partition, 'K').append(key);
}

std::string_view NameOfUserKey(std::string_view key) {
  QUORATE_CHECK(key.size() >= kUserKeyAt);
  return key.substr(kUserKeyAt);
}

// The complement of the numbers, because iterators only go forward and people want the newest
// first.
std::string HistoryKey(PartitionId partition, RepositoryId repository, Lsn lsn,
                       std::uint32_t index) {
  std::string key = HistoryPrefix(partition, repository);
  AppendBigEndian64(key, ~lsn.value);
  AppendBigEndian32(key, ~index);
  return key;
}

std::string HistoryPrefix(PartitionId partition, RepositoryId repository) {
  return KeyOf(partition, 'L', repository);
}

std::string HistoryOf(PartitionId partition, RepositoryId repository, Lsn lsn) {
  std::string key = HistoryPrefix(partition, repository);
  AppendBigEndian64(key, ~lsn.value);
  return key;
}

std::optional<Lsn> LsnOfHistoryKey(std::string_view key) {
  if (key.size() != kHistoryKeyBytes) {
    return std::nullopt;
  }
  return Lsn{~ReadBigEndian64(key.substr(kRefNameAt))};
}

std::string ConsumerKey(PartitionId partition, RepositoryId repository, std::string_view name) {
  return KeyOf(partition, 'P', repository).append(name);
}

std::string ConsumersPrefix(PartitionId partition) {
  return KeyOf(partition, 'P');
}

Result<ParsedConsumerKey> ParseConsumerKey(std::string_view key) {
  if (key.size() <= kRefNameAt) {
    return Error(Code::kCorruption, "a key of a consumer is not readable");
  }
  return ParsedConsumerKey{
      .repository = RepositoryId{ReadBigEndian64(key.substr(kPartitionBytes + kKindBytes))},
      .name = std::string(key.substr(kRefNameAt))};
}

std::string TransactionKey(PartitionId partition, std::uint64_t generation, std::string_view id) {
  std::string key = KeyOf(partition, 'T');
  AppendBigEndian64(key, generation);
  return key.append(id);
}

std::string TransactionsPrefix(PartitionId partition) {
  return KeyOf(partition, 'T');
}

std::string PartitionPrefix(PartitionId partition) {
  std::string key;
  AppendBigEndian64(key, partition.value);
  return key;
}

std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') {
    prefix.pop_back();
  }
  QUORATE_CHECK(!prefix.empty());
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace quorate::txn::internal
