#include "txn/internal/verifier.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "git/ref_name.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/window_keys.h"

namespace quorate::txn::internal {
namespace {

bool SameTarget(const std::optional<RefValue>& a, const std::optional<RefValue>& b) {
  if (!a || !b) {
    return !a && !b;
  }
  return a->symref == b->symref && (!a->symref.empty() || a->id == b->id);
}

// The window holds nothing but what EncodeRefValue() made.
std::optional<RefValue> RefOf(const ConflictWindow::Version& version) {
  return version.value ? std::optional(DecodeRefValue(*version.value).value()) : std::nullopt;
}

class Verification {
 public:
  Verification(const Transaction::State& transaction, const ConflictWindow& window)
      : transaction_(transaction), window_(window) {}

  Verdict Run() {
    if (transaction_.only_reads()) {
      return std::move(verdict_);  // Its snapshot may be older than what the window knows.
    }
    CheckReads();
    CheckRepositories();
    CheckAssertions();
    CheckRefValues();
    CheckRefNames();
    CollectRefChanges();
    CheckHeads();
    CheckConfigs();
    CheckKeys();
    CheckConsumers();
    ChoosePacks();
    return std::move(verdict_);
  }

 private:
  using Version = ConflictWindow::Version;
  using RefKey = std::pair<RepositoryId, std::string_view>;

  std::optional<Version> Newer(std::string_view key) const {
    return window_.FindAfter(key, transaction_.snapshot.lsn());
  }

  const StagedRepository& repository(RepositoryId id) const {
    return transaction_.repositories.at(id);
  }

  // In a repository that this transaction creates, nothing exists, whatever was there before.
  std::optional<Version> NewerRef(RepositoryId id, std::string_view name) const {
    return repository(id).create ? std::nullopt : Newer(RefWindowKey(id, name));
  }

  // Nothing if no entry after the snapshot wrote it.
  std::optional<Conflict::Winner> WinnerOf(const std::optional<Version>& newer) const {
    return !newer ? std::nullopt
                  : std::optional(Conflict::Winner{newer->lsn, window_.TransactionAt(newer->lsn)});
  }

  Conflict MakeConflict(Conflict::Kind kind, ConflictKey key,
                        const std::optional<Version>& newer) const {
    return {.kind = kind,
            .key = std::move(key),
            .expected = {},
            .found = {},
            .winner = WinnerOf(newer)};
  }

  std::optional<RefValue> Current(const StagedRef& ref) const {
    const auto newer = NewerRef(ref.update.repository, ref.update.name);
    return newer ? RefOf(*newer) : ref.in_snapshot;
  }

  void CheckReads();
  bool ReadsMayHaveChanged() const;
  void CheckRepositories();
  void CheckAssertions();
  void ChoosePacks();
  void CheckRefValues();
  void CheckRefNames();
  void CheckHeads();
  void CheckConfigs();
  void CheckKeys();
  void CheckConsumers();
  void CollectRefChanges();
  std::optional<Conflict> FindValueConflict(const StagedRef& ref,
                                            const std::optional<RefValue>& current) const;
  std::optional<std::string> FindNameInTheWay(const StagedRef& ref) const;
  bool ExistsAfterwards(RepositoryId id, const std::string& name) const;
  std::size_t ErasedBehind(const StagedRef& ref) const;
  std::optional<std::string> FindChildAfterwards(const StagedRef& ref) const;

  const Transaction::State& transaction_;
  const ConflictWindow& window_;
  Verdict verdict_;
  std::vector<std::optional<RefValue>> current_;  // Of each staged reference.
  // What the accepted part of this transaction makes of names: whether they exist afterwards.
  std::map<RefKey, bool> own_;
  std::set<RefKey> own_erased_;  // Of the snapshot's references.
};

void Verification::CheckReads() {
  // One that only reads takes place where its snapshot was taken, whatever came later.
  if (!transaction_.checks_reads() || transaction_.only_reads()) {
    return;
  }
  const auto refuse = [this](std::string_view key, const std::optional<Version>& newer) {
    verdict_.others.push_back(
        MakeConflict(Conflict::Kind::kReadChanged, ConflictKeyOf(key), newer));
  };
  if (ReadsMayHaveChanged()) {
    for (const std::string_view key : transaction_.reads.Sorted()) {
      if (const auto newer = Newer(key); newer) {
        refuse(key, newer);
      }
    }
  }
  for (const std::string& prefix : transaction_.prefix_reads) {
    window_.ForEachAfter(prefix, transaction_.snapshot.lsn(),
                         [&refuse](std::string_view key, const Version& newer) {
                           refuse(key, newer);
                           return false;
                         });
  }
}

// Whoever reads much mostly meets few newer entries: then their keys are looked up among the reads,
// not the other way round.
bool Verification::ReadsMayHaveChanged() const {
  const ReadSet& reads = transaction_.reads;
  const Lsn snapshot = transaction_.snapshot.lsn();
  if (reads.empty() || window_.EntriesAfter(snapshot) > reads.size()) {
    return !reads.empty();
  }
  // An entry may have any number of keys: beyond some of them the reads are looked up after all.
  std::size_t left = 8 * reads.size();
  return window_.AnyKeyAfter(
      snapshot, [&](std::string_view key) { return left-- == 0 || reads.MayContain(key); });
}

void Verification::CheckRepositories() {
  for (const auto& [id, staged] : transaction_.repositories) {
    if (!staged.matters()) {
      continue;
    }
    const auto newer = Newer(RepositoryWindowKey(id));
    const bool exists = newer ? newer->value.has_value() : staged.in_snapshot.has_value();
    std::optional<Conflict::Kind> refused;
    if (staged.create && !staged.erase) {
      if (exists) {
        refused = Conflict::Kind::kRepositoryExists;
      }
    } else if (newer) {
      // Created anew is gone as well: it is another repository than the one that was seen.
      refused = Conflict::Kind::kRepositoryGone;
    }
    if (refused) {
      verdict_.others.push_back(
          MakeConflict(*refused, {ConflictKey::Kind::kRepository, id, {}}, newer));
      continue;
    }
    if (staged.erase) {
      verdict_.changes.emplace_back(RepositoryDelete{.repository = id});
    }
    if (staged.create) {
      verdict_.changes.emplace_back(*staged.create);
    }
  }
}

// Whoever wrote it, and when: what counts is what it is now.
void Verification::CheckAssertions() {
  for (const Assertion& assertion : transaction_.assertions) {
    const bool head = assertion.name == kHeadName;
    std::optional<Version> newer;
    if (!assertion.in_new_repository) {
      newer = Newer(head ? HeadWindowKey(assertion.repository)
                         : RefWindowKey(assertion.repository, assertion.name));
    }
    std::optional<RefValue> current = newer ? RefOf(*newer) : assertion.in_snapshot;
    if (SameTarget(assertion.expected, current)) {
      continue;
    }
    ConflictKey key{head ? ConflictKey::Kind::kHead : ConflictKey::Kind::kRef, assertion.repository,
                    head ? "" : assertion.name};
    Conflict conflict = MakeConflict(Conflict::Kind::kValueChanged, std::move(key), newer);
    conflict.expected = assertion.expected;
    conflict.found = std::move(current);
    verdict_.others.push_back(std::move(conflict));
  }
}

void Verification::ChoosePacks() {
  std::set<RepositoryId> wanting;
  for (const StagedRef& ref : transaction_.refs) {
    wanting.insert(ref.update.repository);
  }
  std::set<RepositoryId> changing;
  for (const Change& change : verdict_.changes) {
    if (const auto* ref = std::get_if<RefChange>(&change); ref != nullptr) {
      changing.insert(ref->repository);
    } else if (const auto* moved = std::get_if<HeadChange>(&change); moved != nullptr) {
      changing.insert(moved->repository);
    }
  }
  for (const StagedPack& pack : transaction_.packs) {
    verdict_.packs.push_back(!wanting.contains(pack.repository) ||
                             changing.contains(pack.repository));
  }
}

std::optional<Conflict> Verification::FindValueConflict(
    const StagedRef& ref, const std::optional<RefValue>& current) const {
  const RefUpdate& update = ref.update;
  const auto newer = NewerRef(update.repository, update.name);
  const bool unwanted_write = !update.expected && (update.value || current) && newer;
  if (unwanted_write || (update.expected && !SameTarget(update.expected->value, current))) {
    Conflict conflict =
        MakeConflict(Conflict::Kind::kValueChanged,
                     {ConflictKey::Kind::kRef, update.repository, update.name}, newer);
    conflict.expected = update.expected ? update.expected->value : ref.in_snapshot;
    conflict.found = current;
    return conflict;
  }
  return std::nullopt;
}

void Verification::CheckRefValues() {
  for (const StagedRef& ref : transaction_.refs) {
    current_.push_back(Current(ref));
    verdict_.refs.push_back(FindValueConflict(ref, current_.back()));
    if (!verdict_.refs.back() && !ref.update.value) {
      const RefKey key{ref.update.repository, ref.update.name};
      own_[key] = false;
      if (ref.in_snapshot) {
        own_erased_.insert(key);
      }
    }
  }
}

// Deletions are decided by now. Creations follow in their order, so that of two that exclude one
// another the first stays when they need not both succeed.
void Verification::CheckRefNames() {
  for (std::size_t i = 0; i < transaction_.refs.size(); ++i) {
    const StagedRef& ref = transaction_.refs[i];
    if (verdict_.refs[i] || !ref.update.value || current_[i]) {
      continue;
    }
    std::optional<std::string> in_the_way = FindNameInTheWay(ref);
    if (in_the_way) {
      const RepositoryId id = ref.update.repository;
      // Who created it after the snapshot, unless that is this transaction.
      const auto newer =
          own_.contains({id, *in_the_way}) ? std::nullopt : NewerRef(id, *in_the_way);
      verdict_.refs[i] = MakeConflict(Conflict::Kind::kNameConflict,
                                      {ConflictKey::Kind::kRef, id, *std::move(in_the_way)}, newer);
    } else {
      own_[{ref.update.repository, ref.update.name}] = true;
    }
  }
}

std::optional<std::string> Verification::FindNameInTheWay(const StagedRef& ref) const {
  const RepositoryId id = ref.update.repository;
  const std::string& name = ref.update.name;
  for (std::size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    const std::string parent = name.substr(0, slash);
    const auto own = own_.find({id, parent});
    const auto newer = own == own_.end() ? NewerRef(id, parent) : std::nullopt;
    const bool exists = own != own_.end() ? own->second
                        : newer           ? newer->value.has_value()
                                          : ref.parent == parent;
    if (exists) {
      return parent;
    }
  }
  return FindChildAfterwards(ref);
}

// Of a name that exists in the snapshot.
bool Verification::ExistsAfterwards(RepositoryId id, const std::string& name) const {
  if (const auto own = own_.find({id, name}); own != own_.end()) {
    return own->second;
  }
  const auto newer = NewerRef(id, name);
  return !newer || newer->value.has_value();
}

// How many of the references behind ref.children this transaction erases itself. Those that others
// erased meanwhile are not known by name: then the new name is refused, until a later snapshot.
std::size_t Verification::ErasedBehind(const StagedRef& ref) const {
  if (ref.more_children == 0) {
    return 0;
  }
  const RepositoryId id = ref.update.repository;
  const std::string prefix = ref.update.name + "/";
  std::size_t erased = 0;
  for (auto at = own_erased_.upper_bound({id, ref.children.back()});
       at != own_erased_.end() && at->first == id && at->second.starts_with(prefix); ++at) {
    ++erased;
  }
  return erased;
}

std::optional<std::string> Verification::FindChildAfterwards(const StagedRef& ref) const {
  const RepositoryId id = ref.update.repository;
  const std::string prefix = ref.update.name + "/";
  for (const std::string& child : ref.children) {
    if (ExistsAfterwards(id, child)) {
      return child;
    }
  }
  if (ref.more_children == kChildrenCountedMax || ref.more_children > ErasedBehind(ref)) {
    return prefix + "...";
  }
  for (auto own = own_.lower_bound({id, prefix});
       own != own_.end() && own->first.first == id && own->first.second.starts_with(prefix);
       ++own) {
    if (own->second) {
      return std::string(own->first.second);
    }
  }
  std::optional<std::string> found;
  if (!repository(id).create) {
    window_.ForEachAfter(RefWindowKey(id, prefix), transaction_.snapshot.lsn(),
                         [&](std::string_view key, const Version& version) {
                           const std::string_view name = RefNameOfWindowKey(key);
                           if (version.value && !own_.contains({id, name})) {
                             found = std::string(name);
                           }
                           return !found;
                         });
  }
  return found;
}

void Verification::CollectRefChanges() {
  for (std::size_t i = 0; i < transaction_.refs.size(); ++i) {
    const RefUpdate& update = transaction_.refs[i].update;
    if (!verdict_.refs[i] && update.value != current_[i]) {
      verdict_.changes.emplace_back(RefChange{.repository = update.repository,
                                              .name = update.name,
                                              .before = current_[i],
                                              .after = update.value});
    }
  }
}

void Verification::CheckHeads() {
  for (const StagedHead& head : transaction_.heads) {
    const std::optional<RepositoryCreate>& create = repository(head.repository).create;
    const auto newer = create ? std::nullopt : Newer(HeadWindowKey(head.repository));
    std::optional<RefValue> current = head.in_snapshot;
    if (create) {
      current.emplace().symref = create->default_branch;
    } else if (newer) {
      current = RefOf(*newer);
    }
    if (head.expected ? !SameTarget(head.expected, current) : newer.has_value()) {
      Conflict conflict = MakeConflict(Conflict::Kind::kValueChanged,
                                       {ConflictKey::Kind::kHead, head.repository, {}}, newer);
      conflict.expected = head.expected ? head.expected : head.in_snapshot;
      conflict.found = std::move(current);
      verdict_.others.push_back(std::move(conflict));
    } else if (*current != head.value) {
      verdict_.changes.emplace_back(HeadChange{
          .repository = head.repository, .before = *std::move(current), .after = head.value});
    }
  }
}

void Verification::CheckConfigs() {
  for (const StagedConfig& config : transaction_.configs) {
    const auto newer = repository(config.repository).create
                           ? std::nullopt
                           : Newer(ConfigWindowKey(config.repository, config.name));
    std::vector<std::string> current = config.in_snapshot;
    if (newer) {
      // The window holds nothing but what EncodeConfig() made.
      current = newer->value ? DecodeConfig(*newer->value).value() : std::vector<std::string>();
    }
    if (config.expected ? *config.expected != current : newer.has_value()) {
      verdict_.others.push_back(
          MakeConflict(Conflict::Kind::kValueChanged,
                       {ConflictKey::Kind::kConfig, config.repository, config.name}, newer));
    } else if (config.values != current) {
      verdict_.changes.emplace_back(ConfigChange{.repository = config.repository,
                                                 .name = config.name,
                                                 .before = std::move(current),
                                                 .after = config.values});
    }
  }
}

void Verification::CheckKeys() {
  for (const StagedKey& key : transaction_.keys) {
    const auto newer = Newer(UserWindowKey(key.key));
    std::optional<std::string> current = key.in_snapshot;
    if (newer) {
      current = newer->value ? std::optional(std::string(*newer->value)) : std::nullopt;
    }
    const bool unwanted_write = !key.expected && (key.value || current) && newer;
    if (unwanted_write || (key.expected && *key.expected != current)) {
      verdict_.others.push_back(MakeConflict(Conflict::Kind::kValueChanged,
                                             {ConflictKey::Kind::kKey, RepositoryId{0}, key.key},
                                             newer));
    } else if (key.value != current) {
      verdict_.changes.emplace_back(
          KeyChange{.key = key.key, .before = current, .after = key.value});
    }
  }
}

// Each was staged for what the snapshot says of it, so that must still hold. Whether the repository
// is another one by now was checked with the repositories.
void Verification::CheckConsumers() {
  for (const StagedConsumer& consumer : transaction_.consumers) {
    const auto newer = repository(consumer.repository).create
                           ? std::nullopt
                           : Newer(ConsumerWindowKey(consumer.repository, consumer.name));
    if (newer) {
      verdict_.others.push_back(
          MakeConflict(Conflict::Kind::kValueChanged,
                       {ConflictKey::Kind::kConsumer, consumer.repository, consumer.name}, newer));
    } else if (consumer.value != consumer.in_snapshot) {
      verdict_.changes.emplace_back(ConsumerChange{.repository = consumer.repository,
                                                   .name = consumer.name,
                                                   .before = consumer.in_snapshot,
                                                   .after = consumer.value});
    }
  }
}

}  // namespace

bool Verdict::Accepted(bool all_or_nothing) const {
  const auto refused = [](const std::optional<Conflict>& conflict) { return conflict.has_value(); };
  return others.empty() && !(all_or_nothing && std::ranges::any_of(refs, refused));
}

bool Verdict::ChangesNothing() const {
  return changes.empty() && std::ranges::none_of(packs, std::identity());
}

Verdict Verify(const Transaction::State& transaction, const ConflictWindow& window) {
  return Verification(transaction, window).Run();
}

}  // namespace quorate::txn::internal
