// Values of the `state` family as bytes and back. Every value begins with its format; a reader
// refuses what it does not know. docs/formats/state.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "kv/store.h"
#include "txn/consumer.h"
#include "txn/snapshot.h"

namespace quorate::txn::internal {

std::string EncodeRefValue(const RefValue& value);
std::string EncodePosition(Position position);
std::string EncodeLsn(Lsn lsn);
std::string EncodeKeyValue(std::string_view value);
std::string EncodeConfig(const std::vector<std::string>& values);
// Without `id`: it is in the key.
std::string EncodeRepository(const RepositoryInfo& info);
// Without repository and name: they are in the key.
std::string EncodeConsumer(const Consumer& consumer);
std::string EncodeTransaction(const CommittedTransaction& transaction);
// Without `lsn`: it is in the key.
std::string EncodeEvent(const RefEvent& event);

// All: kCorruption when the bytes are not what the encoder makes.
Result<RefValue> DecodeRefValue(std::string_view bytes);
Result<Position> DecodePosition(std::string_view bytes);
Result<Lsn> DecodeLsn(std::string_view bytes);
Result<std::string> DecodeKeyValue(std::string_view bytes);
Result<std::vector<std::string>> DecodeConfig(std::string_view bytes);
Result<RepositoryInfo> DecodeRepository(RepositoryId repository, std::string_view bytes);
Result<Consumer> DecodeConsumer(RepositoryId repository, std::string_view name,
                                std::string_view bytes);
Result<CommittedTransaction> DecodeTransaction(std::string_view bytes);
Result<RefEvent> DecodeEvent(Lsn lsn, std::string_view bytes);

// Ids of transactions are kept and forgotten by the generation of their entries' LSNs. When the
// first entry of a generation is applied, the generation that is wholly more than
// kTransactionIdsKept entries back is forgotten: the same on every replica.
inline constexpr std::uint64_t kGenerationEntries = 4096;
static_assert(kTransactionIdsKept % kGenerationEntries == 0);
constexpr std::uint64_t GenerationOf(Lsn lsn) {
  return lsn.value / kGenerationEntries;
}
// Once `applied` is, the ids of generations before this one are forgotten.
std::uint64_t OldestGeneration(Lsn applied);

// The applied position that `reader` holds; where groups are bootstrapped if nothing was applied.
Result<Position> ReadApplied(PartitionId partition, const kv::Reader& reader);
// Up to where objects survive a power cut; where groups are bootstrapped if nobody said.
Result<Lsn> ReadObjectsDurable(PartitionId partition, const kv::Reader& reader);

}  // namespace quorate::txn::internal
