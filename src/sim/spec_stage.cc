// From a Spec to a Transaction, and from a Snapshot to what the model calls its contents.
#include <utility>

#include "sim/spec.h"
#include "txn/consumer.h"

namespace quorate::sim {
namespace {

Status StageRef(const RefWrite& write, txn::Transaction& transaction) {
  txn::RefUpdate update{
      .repository = write.repository, .name = write.name, .expected = {}, .value = {}};
  if (write.expected) {
    update.expected.emplace();
    if (*write.expected) {
      update.expected->value = RefValueOf(**write.expected);
    }
  }
  if (write.value) {
    update.value = RefValueOf(*write.value);
  }
  return transaction.StageRef(std::move(update));
}

Status StageConsumer(const ConsumerWrite& write, txn::Transaction& transaction) {
  switch (write.what) {
    case ConsumerWrite::What::kCreate:
      return transaction.StageConsumerCreate(write.repository, write.name);
    case ConsumerWrite::What::kAcknowledge:
      return transaction.StageConsumerAck(write.repository, write.name, write.acknowledged);
    case ConsumerWrite::What::kRemove:
      return transaction.StageConsumerRemove(write.repository, write.name);
  }
  return Ok();
}

Status Declare(const Read& read, txn::Transaction& transaction) {
  switch (read.kind) {
    case Read::Kind::kRef:
      return transaction.DeclareRefRead(read.repository, read.name);
    case Read::Kind::kHead:
      return transaction.DeclareRefRead(read.repository, "HEAD");
    case Read::Kind::kRefs:
      return transaction.DeclareRefPrefixRead(read.repository, read.name);
    case Read::Kind::kConfig:
      return transaction.DeclareConfigRead(read.repository, read.name);
    case Read::Kind::kConfigs:
      return transaction.DeclareConfigPrefixRead(read.repository, read.name);
    case Read::Kind::kKey:
      return transaction.DeclareKeyRead(read.name);
    case Read::Kind::kKeys:
      return transaction.DeclareKeyPrefixRead(read.name);
  }
  return Ok();
}

// What a snapshot and a transaction have in common, as far as reading goes.
template <class Reader>
Result<Contents> ReadIn(Reader& reader, const Read& read) {
  Contents contents;
  const auto keep = [&contents](const std::string& key, Value value) {
    if (value) {
      contents[key] = *std::move(value);
    }
  };
  switch (read.kind) {
    case Read::Kind::kRef: {
      const auto value = QUORATE_TRY(reader.FindRef(read.repository, read.name));
      keep(read.Key(), value ? Value(TextOf(*value)) : std::nullopt);
      break;
    }
    case Read::Kind::kHead:  // Differs between the two.
      break;
    case Read::Kind::kRefs:
      QUORATE_TRY(reader.ForEachRef(read.repository, read.name, [&](const txn::Ref& ref) {
        contents[RefKey(read.repository, ref.name)] = TextOf(ref.value);
        return true;
      }));
      break;
    case Read::Kind::kConfig:
      keep(read.Key(), TextOf(QUORATE_TRY(reader.FindConfig(read.repository, read.name))));
      break;
    case Read::Kind::kConfigs:
      QUORATE_TRY(
          reader.ForEachConfig(read.repository, read.name, [&](const git::ConfigEntry& entry) {
            keep(ConfigKey(read.repository, entry.name), TextOf(entry.values));
            return true;
          }));
      break;
    case Read::Kind::kKey:
      keep(read.Key(), QUORATE_TRY(reader.FindKey(read.name)));
      break;
    case Read::Kind::kKeys:
      QUORATE_TRY(reader.ForEachKey(read.name, [&](std::string_view key, std::string_view value) {
        contents[UserKey(key)] = std::string(value);
        return true;
      }));
      break;
  }
  return contents;
}

Result<Contents> ReadThrough(txn::Transaction& transaction, const Read& read) {
  if (read.kind != Read::Kind::kHead) {
    return ReadIn(transaction, read);
  }
  Contents contents;
  if (const auto head = QUORATE_TRY(transaction.FindHead(read.repository))) {
    contents[read.Key()] = TextOf(*head);
  }
  return contents;
}

Status StageRead(const Spec& spec, const Read& read, txn::Transaction& transaction) {
  if (!spec.reads_itself) {
    return Declare(read, transaction);
  }
  const Contents found = QUORATE_TRY(ReadThrough(transaction, read));
  if (found != QUORATE_TRY(ReadFrom(transaction.snapshot(), read))) {
    return Error(Code::kInternal,
                 "a transaction finds " + read.ToString() + " otherwise than in its snapshot");
  }
  return Ok();
}

Status ReadRepository(const txn::Snapshot& snapshot, RepositoryId repository, Contents& out) {
  const auto info = QUORATE_TRY(snapshot.FindRepository(repository));
  if (!info) {
    return Ok();
  }
  out[RepositoryKey(repository)] = "exists";
  out[HeadKey(repository)] = TextOf(info->head);
  for (const Read::Kind kind : {Read::Kind::kRefs, Read::Kind::kConfigs}) {
    out.merge(
        QUORATE_TRY(ReadFrom(snapshot, {.kind = kind, .repository = repository, .name = {}})));
  }
  for (const txn::Consumer& consumer : QUORATE_TRY(txn::ListConsumers(snapshot, repository))) {
    out[ConsumerKey(repository, consumer.name)] = TextOf(consumer);
  }
  return Ok();
}

}  // namespace

Status Stage(const Spec& spec, txn::Transaction& transaction) {
  for (const Read& read : spec.reads) {
    QUORATE_TRY(StageRead(spec, read, transaction));
  }
  for (const RepositoryWrite& write : spec.repositories) {
    if (write.erase) {
      QUORATE_TRY(transaction.StageRepositoryDelete(write.repository));
    }
    if (write.create) {
      QUORATE_TRY(transaction.StageRepositoryCreate(write.repository, git::ObjectFormat::kSha1,
                                                    "refs/heads/main"));
    }
  }
  for (const RefWrite& write : spec.refs) {
    QUORATE_TRY(StageRef(write, transaction));
  }
  for (const HeadWrite& write : spec.heads) {
    QUORATE_TRY(transaction.StageHead(
        write.repository, RefValueOf(write.value),
        write.expected ? std::optional(RefValueOf(*write.expected)) : std::nullopt));
  }
  for (const ConfigWrite& write : spec.configs) {
    QUORATE_TRY(transaction.StageConfig(
        write.repository, write.name,
        write.expected ? std::optional(ConfigValuesOf(*write.expected)) : std::nullopt,
        ConfigValuesOf(write.value)));
  }
  for (const KeyWrite& write : spec.keys) {
    QUORATE_TRY(transaction.StageKey(write.key, write.expected, write.value));
  }
  for (const ConsumerWrite& write : spec.consumers) {
    QUORATE_TRY(StageConsumer(write, transaction));
  }
  for (const Assertion& assertion : spec.assertions) {
    QUORATE_TRY(transaction.VerifyRef(
        assertion.repository, assertion.name,
        assertion.expected ? std::optional(RefValueOf(*assertion.expected)) : std::nullopt));
  }
  return Ok();
}

Result<Contents> ReadFrom(const txn::Snapshot& snapshot, const Read& read) {
  if (read.kind != Read::Kind::kHead) {
    return ReadIn(snapshot, read);
  }
  Contents contents;
  if (const auto info = QUORATE_TRY(snapshot.FindRepository(read.repository))) {
    contents[read.Key()] = TextOf(info->head);
  }
  return contents;
}

Result<Contents> ReadAll(const txn::Snapshot& snapshot) {
  Contents contents;
  for (std::uint64_t id = 1; id <= kRepositories; ++id) {
    QUORATE_TRY(ReadRepository(snapshot, RepositoryId{id}, contents));
  }
  contents.merge(
      QUORATE_TRY(ReadFrom(snapshot, {.kind = Read::Kind::kKeys, .repository = {}, .name = {}})));
  return contents;
}

}  // namespace quorate::sim
