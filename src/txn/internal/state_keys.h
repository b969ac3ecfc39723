// Keys of the `state` family: (partition, kind, ...), big-endian, so that they sort as people
// count. docs/formats/state.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace quorate::txn::internal {

std::string AppliedKey(PartitionId partition);
std::string ObjectsDurableKey(PartitionId partition);

std::string RepositoryKey(PartitionId partition, RepositoryId repository);

// A prefix of a name gives the prefix of its keys.
std::string RefKey(PartitionId partition, RepositoryId repository, std::string_view name);
// The name within a key that RefKey() made.
std::string_view RefNameOfKey(std::string_view key);

// A prefix of a name gives the prefix of its keys.
std::string ConfigKey(PartitionId partition, RepositoryId repository, std::string_view name);
// The name within a key that ConfigKey() made.
std::string_view NameOfConfigKey(std::string_view key);

std::string UserKey(PartitionId partition, std::string_view key);
std::string_view NameOfUserKey(std::string_view key);

// Newest first. `index` counts the events of one entry.
std::string HistoryKey(PartitionId partition, RepositoryId repository, Lsn lsn,
                       std::uint32_t index);
std::string HistoryPrefix(PartitionId partition, RepositoryId repository);
// The events of entries up to `lsn` begin here.
std::string HistoryOf(PartitionId partition, RepositoryId repository, Lsn lsn);
// Nothing if the key has not the form of HistoryKey().
std::optional<Lsn> LsnOfHistoryKey(std::string_view key);

// An empty name gives the prefix of a repository's.
std::string ConsumerKey(PartitionId partition, RepositoryId repository, std::string_view name);
std::string ConsumersPrefix(PartitionId partition);  // Of all repositories.
struct ParsedConsumerKey {
  RepositoryId repository;
  std::string name;
};
// kCorruption if the key has not the form of ConsumerKey().
Result<ParsedConsumerKey> ParseConsumerKey(std::string_view key);

// What a transaction became. Ids are kept by generation, a range of LSNs (GenerationOf()), and
// forgotten a generation at a time. An empty `id` gives the prefix of the generation.
std::string TransactionKey(PartitionId partition, std::uint64_t generation, std::string_view id);
// Of all generations.
std::string TransactionsPrefix(PartitionId partition);

// Every key of the partition begins with it.
std::string PartitionPrefix(PartitionId partition);

// The first key behind all that begin with `prefix`. REQUIRES: not all bytes are 0xff.
std::string PrefixEnd(std::string prefix);

}  // namespace quorate::txn::internal
