#include "cluster/internal/named_packs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "proto/log_entry.pb.h"

namespace quorate::cluster::internal {
namespace {

constexpr std::size_t kReadBytesMax = 4 << 20;

Status AddNamedPacks(const consensus::Entry& entry, std::vector<Sha256Digest>& digests) {
  if (entry.type != consensus::EntryType::kNormal || entry.data.empty()) {
    return Ok();
  }
  proto::LogEntry decoded;
  if (!decoded.ParseFromString(entry.data)) {
    return Error(Code::kCorruption, fmt::format("entry {} cannot be parsed", entry.lsn.value));
  }
  for (const proto::Operation& operation : decoded.operations()) {
    if (!operation.has_pack() || !operation.pack().inline_().empty()) {
      continue;
    }
    Sha256Digest digest;
    const std::string& bytes = operation.pack().sha256();
    if (bytes.size() != digest.bytes.size()) {
      return Error(Code::kCorruption,
                   fmt::format("entry {} names a pack by {} bytes", entry.lsn.value, bytes.size()));
    }
    std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
    digests.push_back(digest);
  }
  return Ok();
}

}  // namespace

Result<std::vector<Sha256Digest>> NamedPacks(const log::LogStore& logs, PartitionId partition) {
  const log::StoredLog stored = QUORATE_TRY(logs.Load(partition));
  std::vector<Sha256Digest> digests;
  for (Lsn next = stored.truncated.lsn.Next(); next <= stored.last;) {
    for (const consensus::Entry& entry :
         QUORATE_TRY(logs.Read(partition, next, stored.last.Next(), kReadBytesMax))) {
      QUORATE_TRY(AddNamedPacks(entry, digests));
      next = entry.lsn.Next();
    }
  }
  return digests;
}

}  // namespace quorate::cluster::internal
