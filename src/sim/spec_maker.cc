#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "sim/client.h"

namespace quorate::sim {
namespace {

// Names that are in one another's way, and few, so that clients meet.
constexpr std::array<std::string_view, 7> kNames = {
    "refs/heads/main", "refs/heads/a",   "refs/heads/a/b", "refs/heads/a/c",
    "refs/heads/d",    "refs/heads/d/e", "refs/tags/t"};
constexpr std::array<std::string_view, 4> kPrefixes = {"refs/heads/a", "refs/heads/d/",
                                                       "refs/tags/", "refs/heads/"};
constexpr std::array<std::string_view, 4> kKeys = {"k1", "k2", "m/x", "m/y"};
constexpr std::array<std::string_view, 3> kKeyPrefixes = {"k", "m/", ""};
constexpr std::array<std::string_view, 4> kConfigs = {"core.a", "core.b", "hook.one.on", "user.x"};
constexpr std::array<std::string_view, 3> kConfigPrefixes = {"core.", "hook.", ""};

template <class List>
std::string OneOf(const List& list, Prng& prng) {
  return std::string(list[prng.Below(list.size())]);
}

}  // namespace

std::string SpecMaker::SomeName() {
  return OneOf(kNames, prng_);
}

Value SpecMaker::Found(const std::string& key) const {
  const auto at = seen_.find(key);
  return at == seen_.end() ? Value() : Value(at->second);
}

// One that a reference of the snapshot points at: its objects are in the store.
std::string SpecMaker::KnownObject(RepositoryId repository) {
  std::vector<std::string> known;
  for (const auto& [key, value] : seen_) {
    if (key.starts_with(RefKey(repository, "")) && value.starts_with('o')) {
      known.push_back(value);
    }
  }
  return known.empty() ? std::string() : known[prng_.Below(known.size())];
}

Spec SpecMaker::Make(const txn::Snapshot& snapshot, const std::string& fresh_object) {
  const Result<Contents> seen = ReadAll(snapshot);
  seen_ = seen ? *seen : Contents();
  Spec spec;
  spec.serializable = Chance(workload_.serializable);
  spec.atomic = !Chance(workload_.partial);
  if (spec.serializable) {
    spec.reads_itself = Chance(workload_.own_reads);
    AddReads(spec);
  }
  if (Chance(workload_.read_only)) {
    return spec;
  }
  const RepositoryId repository = SomeRepository();
  const bool exists = Found(RepositoryKey(repository)).has_value();
  if (!exists || Chance(workload_.repositories)) {
    const bool create = !exists || prng_.OneIn(3);
    spec.repositories.push_back({.repository = repository, .erase = exists, .create = create});
    if (!create) {
      return spec;  // Nothing can be changed in what is deleted.
    }
  }
  if (spec.repositories.empty() && Chance(workload_.unchanged)) {
    AddNothingNew(spec, repository);
    return spec;
  }
  if (spec.repositories.empty() && Chance(workload_.pack_only)) {
    AddPack(spec, repository, KnownObject(repository), fresh_object);
    return spec;
  }
  const bool keys = Chance(workload_.keys);
  if (!exists || !keys || !spec.repositories.empty() || prng_.OneIn(6)) {
    AddRefs(spec, fresh_object);
  }
  if (exists && keys) {
    AddKeys(spec);
  }
  if (Chance(workload_.configs)) {
    AddConfigs(spec, repository);
  }
  if (spec.repositories.empty() && Chance(workload_.assertions)) {
    AddAssertion(spec, repository);
  }
  const bool head_is_asserted = std::ranges::any_of(
      spec.assertions, [](const Assertion& assertion) { return assertion.name == "HEAD"; });
  if (spec.repositories.empty() && !head_is_asserted && Chance(workload_.heads)) {
    HeadWrite write{.repository = repository, .expected = {}, .value = "@" + SomeName()};
    if (!Chance(workload_.blind)) {
      write.expected = Found(HeadKey(repository));
    }
    spec.heads.push_back(std::move(write));
  }
  return spec;
}

void SpecMaker::AddNothingNew(Spec& spec, RepositoryId repository) {
  if (prng_.OneIn(2)) {
    RefWrite write{.repository = repository, .name = SomeName(), .expected = {}, .value = {}};
    write.value = Found(RefKey(repository, write.name));
    write.expected = write.value;
    spec.refs.push_back(std::move(write));
  }
  AddAssertion(spec, repository);
}

// Of a name that the transaction does not change itself; rarely a wrong one.
void SpecMaker::AddAssertion(Spec& spec, RepositoryId repository) {
  Assertion assertion{
      .repository = repository, .name = prng_.OneIn(4) ? "HEAD" : SomeName(), .expected = {}};
  const bool changed = std::ranges::any_of(spec.refs, [&assertion](const RefWrite& write) {
    return write.repository == assertion.repository && write.name == assertion.name;
  });
  if (!changed) {
    assertion.expected = Found(assertion.Key());
    if (prng_.OneIn(20)) {
      assertion.expected = "o1-1";
    }
    spec.assertions.push_back(std::move(assertion));
  }
}

Read SpecMaker::SomeRead() {
  Read read;
  const bool range = Chance(workload_.range_reads);
  if (workload_.keys > 0 && prng_.OneIn(3)) {
    read.kind = range ? Read::Kind::kKeys : Read::Kind::kKey;
    read.name = range ? OneOf(kKeyPrefixes, prng_) : OneOf(kKeys, prng_);
    return read;  // Of the partition.
  }
  read.repository = SomeRepository();
  if (workload_.configs > 0 && prng_.OneIn(4)) {
    read.kind = range ? Read::Kind::kConfigs : Read::Kind::kConfig;
    read.name = range ? OneOf(kConfigPrefixes, prng_) : OneOf(kConfigs, prng_);
  } else if (range) {
    read.kind = Read::Kind::kRefs;
    read.name = OneOf(kPrefixes, prng_);
  } else if (workload_.heads > 0 && prng_.OneIn(5)) {
    read.kind = Read::Kind::kHead;
  } else {
    read.name = SomeName();
  }
  return read;
}

void SpecMaker::AddReads(Spec& spec) {
  for (std::uint64_t n = 1 + prng_.Below(2); n > 0; --n) {
    spec.reads.push_back(SomeRead());
  }
}

void SpecMaker::AddRefs(Spec& spec, const std::string& fresh_object) {
  std::vector<std::string> names;
  for (std::uint64_t n = 1 + prng_.Below(3); n > 0; --n) {
    std::string name = SomeName();
    if (std::ranges::find(names, name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  for (const std::string& name : names) {
    AddRef(spec, name, fresh_object);
  }
}

void SpecMaker::AddRef(Spec& spec, const std::string& name, const std::string& fresh_object) {
  RefWrite write;
  write.repository = spec.repositories.empty() ? SomeRepository() : spec.repositories[0].repository;
  const bool created = !spec.repositories.empty();
  if (!created && !Found(RepositoryKey(write.repository))) {
    return;
  }
  write.name = name;
  const Value found = created ? Value() : Found(RefKey(write.repository, name));
  if (!Chance(workload_.blind)) {
    write.expected = prng_.OneIn(12) ? Value("o1-1") : found;  // Rarely a wrong one.
  }
  const std::string known = created ? std::string() : KnownObject(write.repository);
  if (Chance(workload_.same_values)) {
    write.value = found;
  } else if (found && prng_.OneIn(3)) {
    write.value = std::nullopt;
  } else if (prng_.OneIn(12)) {
    write.value = "@" + SomeName();
  } else if (known.empty() || Chance(workload_.packs)) {
    write.value = AddPack(spec, write.repository, known, fresh_object);
  } else {
    write.value = known;
  }
  spec.refs.push_back(std::move(write));
}

// One for each repository that wants a new object, now and then one more.
std::string SpecMaker::AddPack(Spec& spec, RepositoryId repository, const std::string& parent,
                               const std::string& fresh_object) {
  for (const PackWrite& pack : spec.packs) {
    if (pack.repository == repository && !prng_.OneIn(4)) {
      return pack.object;
    }
  }
  const std::string object = fresh_object + std::string(spec.packs.size(), '+');
  spec.packs.push_back({.repository = repository,
                        .object = object,
                        .parent = parent,
                        .beside_the_log = Chance(workload_.beside_the_log)});
  return object;
}

// Expects what was found, or anything, or what is wrong; writes the same, nothing, or a new value.
// True: a new one.
template <class Write>
bool SpecMaker::ChooseValue(Write& write, const Value& found) {
  if (!Chance(workload_.blind)) {
    write.expected = prng_.OneIn(12) ? Value("wrong") : found;
  }
  if (Chance(workload_.same_values)) {
    write.value = found;
    return false;
  }
  if (found && prng_.OneIn(3)) {
    return false;
  }
  write.value = fmt::format("v{}", prng_.Below(1000));
  return true;
}

void SpecMaker::AddConfigs(Spec& spec, RepositoryId repository) {
  ConfigWrite write;
  write.repository = repository;
  write.name = OneOf(kConfigs, prng_);
  const bool anew = spec.Creates(repository);
  const Value found = anew ? Value() : Found(ConfigKey(repository, write.name));
  if (ChooseValue(write, found) && prng_.OneIn(3)) {
    *write.value += "|w";
  }
  spec.configs.push_back(std::move(write));
}

void SpecMaker::AddKeys(Spec& spec) {
  KeyWrite write;
  write.key = OneOf(kKeys, prng_);
  ChooseValue(write, Found(UserKey(write.key)));
  spec.keys.push_back(std::move(write));
}

}  // namespace quorate::sim
