#include "sim/spec.h"

#include <fmt/format.h>

#include <utility>

namespace quorate::sim {
namespace {

std::string Shown(const Value& value) {
  return value.value_or("none");
}

std::string Move(const std::optional<Value>& expected, const Value& value) {
  return (expected ? Shown(*expected) : "?") + "->" + Shown(value);
}

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

Status Declare(const Read& read, txn::Transaction& transaction) {
  switch (read.kind) {
    case Read::Kind::kRef:
      return transaction.DeclareRefRead(read.repository, read.name);
    case Read::Kind::kHead:
      return transaction.DeclareRefRead(read.repository, "HEAD");
    case Read::Kind::kPrefix:
      return transaction.DeclareRefPrefixRead(read.repository, read.name);
    case Read::Kind::kKey:
      return transaction.DeclareKeyRead(read.name);
  }
  return Ok();
}

Status ReadRefs(const txn::Snapshot& snapshot, RepositoryId repository, std::string_view prefix,
                Contents& out) {
  return snapshot.ForEachRef(repository, prefix, [&](const txn::Ref& ref) {
    out[RefKey(repository, ref.name)] = TextOf(ref.value);
    return true;
  });
}

}  // namespace

std::string RefKey(RepositoryId repository, std::string_view name) {
  return fmt::format("ref {} {}", repository.value, name);
}
std::string HeadKey(RepositoryId repository) {
  return fmt::format("head {}", repository.value);
}
std::string RepositoryKey(RepositoryId repository) {
  return fmt::format("repo {}", repository.value);
}
std::string UserKey(std::string_view key) {
  return fmt::format("key {}", key);
}

// The name itself, filled up: so a trace and a dump show it.
git::ObjectId ObjectOf(std::string_view name) {
  std::string raw(name);
  raw.resize(20, '.');
  return *git::ObjectId::FromRaw(git::ObjectFormat::kSha1, raw);
}

txn::RefValue RefValueOf(const std::string& text) {
  txn::RefValue value;
  if (text.starts_with('@')) {
    value.symref = text.substr(1);
  } else {
    value.id = ObjectOf(text);
  }
  return value;
}

std::string TextOf(const txn::RefValue& value) {
  if (!value.symref.empty()) {
    return "@" + value.symref;
  }
  const std::string_view raw = value.id.raw();
  return std::string(raw.substr(0, raw.find('.')));
}

std::string Read::Key() const {
  switch (kind) {
    case Kind::kRef:
    case Kind::kPrefix:
      return RefKey(repository, name);
    case Kind::kHead:
      return HeadKey(repository);
    case Kind::kKey:
      return UserKey(name);
  }
  return {};
}

std::string Assertion::Key() const {
  return name == "HEAD" ? HeadKey(repository) : RefKey(repository, name);
}

std::string Spec::ToString() const {
  std::string text = serializable ? "serializable" : "snapshot";
  text += atomic ? "" : ", partial";
  for (const Read& read : reads) {
    text += "; reads " + read.Key() + (read.kind == Read::Kind::kPrefix ? "*" : "");
  }
  for (const RepositoryWrite& write : repositories) {
    text += "; ";
    text += write.erase ? (write.create ? "replaces " : "deletes ") : "creates ";
    text += RepositoryKey(write.repository);
  }
  for (const RefWrite& write : refs) {
    text += "; " + RefKey(write.repository, write.name) + " " + Move(write.expected, write.value);
  }
  for (const HeadWrite& write : heads) {
    text +=
        "; " + HeadKey(write.repository) + " " + write.expected.value_or("?") + "->" + write.value;
  }
  for (const KeyWrite& write : keys) {
    text += "; " + UserKey(write.key) + " " + Move(write.expected, write.value);
  }
  for (const Assertion& assertion : assertions) {
    text += "; asserts " + assertion.Key() + " is " + Shown(assertion.expected);
  }
  for (const PackWrite& pack : packs) {
    text += "; pack " + pack.Bytes() + (pack.beside_the_log ? " beside the log" : "");
  }
  return text;
}

Status Stage(const Spec& spec, txn::Transaction& transaction) {
  for (const Read& read : spec.reads) {
    QUORATE_TRY(Declare(read, transaction));
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
  for (const KeyWrite& write : spec.keys) {
    QUORATE_TRY(transaction.StageKey(write.key, write.expected, write.value));
  }
  for (const Assertion& assertion : spec.assertions) {
    QUORATE_TRY(transaction.VerifyRef(
        assertion.repository, assertion.name,
        assertion.expected ? std::optional(RefValueOf(*assertion.expected)) : std::nullopt));
  }
  return Ok();
}

Result<Contents> ReadFrom(const txn::Snapshot& snapshot, const Read& read) {
  Contents contents;
  switch (read.kind) {
    case Read::Kind::kRef: {
      const auto value = QUORATE_TRY(snapshot.FindRef(read.repository, read.name));
      if (value) {
        contents[read.Key()] = TextOf(*value);
      }
      break;
    }
    case Read::Kind::kHead: {
      const auto info = QUORATE_TRY(snapshot.FindRepository(read.repository));
      if (info) {
        contents[read.Key()] = TextOf(info->head);
      }
      break;
    }
    case Read::Kind::kPrefix:
      QUORATE_TRY(ReadRefs(snapshot, read.repository, read.name, contents));
      break;
    case Read::Kind::kKey: {
      const auto value = QUORATE_TRY(snapshot.FindKey(read.name));
      if (value) {
        contents[read.Key()] = *value;
      }
      break;
    }
  }
  return contents;
}

Result<Contents> ReadAll(const txn::Snapshot& snapshot) {
  Contents contents;
  for (std::uint64_t id = 1; id <= kRepositories; ++id) {
    const RepositoryId repository{id};
    const auto info = QUORATE_TRY(snapshot.FindRepository(repository));
    if (info) {
      contents[RepositoryKey(repository)] = "exists";
      contents[HeadKey(repository)] = TextOf(info->head);
      QUORATE_TRY(ReadRefs(snapshot, repository, "", contents));
    }
  }
  QUORATE_TRY(snapshot.ForEachKey("", [&](std::string_view key, std::string_view value) {
    contents[UserKey(key)] = std::string(value);
    return true;
  }));
  return contents;
}

}  // namespace quorate::sim
