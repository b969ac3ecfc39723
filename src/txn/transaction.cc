#include "txn/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "git/ref_name.h"
#include "txn/internal/transaction_state.h"
#include "txn/internal/window_keys.h"

namespace quorate::txn {
namespace {

using internal::StagedRef;
using internal::StagedRepository;

constexpr std::string_view kHead = internal::kHeadName;

Error Invalid(std::string message) {
  return Error(Code::kInvalidArgument, std::move(message));
}

Status CheckValue(const RefValue& value, git::ObjectFormat format) {
  if (!value.symref.empty()) {
    if (!git::IsValidRefName(value.symref)) {
      return Invalid(fmt::format("'{}' is not a reference's name", Printable(value.symref)));
    }
    return Ok();
  }
  if (value.id.format() != format || (value.peeled && value.peeled->format() != format)) {
    return Invalid("an object id of the wrong hash function for this repository");
  }
  if (value.id.IsZero() || (value.peeled && value.peeled->IsZero())) {
    return Invalid("a reference cannot point at the zero id");
  }
  return Ok();
}

// What of the snapshot is in the way of a new name: a parent, or names below it.
Status FindNameConflicts(const Snapshot& snapshot, StagedRef& ref) {
  const RepositoryId repository = ref.update.repository;
  const std::string& name = ref.update.name;
  for (std::size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    const std::string parent = name.substr(0, slash);
    if (git::IsValidRefName(parent) && QUORATE_TRY(snapshot.FindRef(repository, parent))) {
      ref.parent = parent;  // There is but one: parents of one another cannot both exist.
      break;
    }
  }
  return snapshot.ForEachRef(repository, name + "/", [&ref](const Ref& child) {
    if (ref.children.size() < internal::kChildrenMax) {
      ref.children.push_back(child.name);
    } else {
      ++ref.more_children;
    }
    return ref.more_children < internal::kChildrenCountedMax;
  });
}

// The repository, about to be changed.
Result<StagedRepository*> Touch(Transaction::State& state, RepositoryId id) {
  if (id.value == 0) {
    return Invalid("there is no repository 0");
  }
  auto at = state.repositories.find(id);
  if (at == state.repositories.end()) {
    StagedRepository staged;
    staged.in_snapshot = QUORATE_TRY(state.snapshot.FindRepository(id));
    at = state.repositories.emplace(id, std::move(staged)).first;
  }
  return &at->second;
}

Result<StagedRepository*> TouchExisting(Transaction::State& state, RepositoryId id) {
  StagedRepository* repository = QUORATE_TRY(Touch(state, id));
  if (repository->erase && !repository->create) {
    return Invalid(fmt::format("repository {} is deleted by this transaction", id.value));
  }
  if (!repository->create && !repository->in_snapshot) {
    return Invalid(fmt::format("repository {} does not exist", id.value));
  }
  return repository;
}

}  // namespace

Transaction::Transaction(std::unique_ptr<State> state) : id_(state->id), state_(std::move(state)) {
}
Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;

Status Transaction::CheckOpen(LifeCycleError::Call call) const {
  if (ended_) {
    return MakeLifeCycleError(call, *ended_);
  }
  QUORATE_CHECK(state_ != nullptr);  // It was moved from.
  return Ok();
}

Result<std::unique_ptr<Transaction::State>> Transaction::TakeState() {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kCommit));
  ended_ = LifeCycleError::Reason::kCommitted;
  state_->reads.Seal();
  return std::move(state_);
}

Status Transaction::Abort() {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kAbort));
  ended_ = LifeCycleError::Reason::kAborted;
  state_.reset();
  return Ok();
}

const Snapshot& Transaction::snapshot() const {
  QUORATE_CHECK(state_ != nullptr);
  return state_->snapshot;
}

Status Transaction::StageRef(RefUpdate update) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!git::IsValidRefName(update.name)) {
    return Invalid(fmt::format("'{}' is not a reference's name", Printable(update.name)));
  }
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, update.repository));
  if (update.value) {
    QUORATE_TRY(CheckValue(*update.value, repository->format()));
  }
  if (state_->ref_names.contains({update.repository, update.name})) {
    return Invalid(fmt::format("'{}' is changed or asserted twice", Printable(update.name)));
  }
  StagedRef ref;
  ref.update = std::move(update);
  if (!repository->create) {
    const RefUpdate& staged = ref.update;
    ref.in_snapshot = QUORATE_TRY(state_->snapshot.FindRef(staged.repository, staged.name));
    if (!ref.in_snapshot && staged.value) {
      QUORATE_TRY(FindNameConflicts(state_->snapshot, ref));
    }
  }
  state_->ref_names.emplace(std::pair(ref.update.repository, ref.update.name), state_->refs.size());
  repository->changed = true;
  state_->refs.push_back(std::move(ref));
  return Ok();
}

Status Transaction::StageHead(RepositoryId id, RefValue value, std::optional<RefValue> expected) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, id));
  QUORATE_TRY(CheckValue(value, repository->format()));
  if (!state_->ref_names.try_emplace({id, std::string(kHead)}, internal::kOnlyAsserted).second) {
    return Invalid("HEAD is changed or asserted twice");
  }
  repository->changed = true;
  state_->heads.push_back(
      {.repository = id,
       .value = std::move(value),
       .expected = std::move(expected),
       .in_snapshot = repository->create ? RefValue() : repository->in_snapshot->head});
  return Ok();
}

Status Transaction::VerifyRef(RepositoryId id, std::string name, std::optional<RefValue> expected) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (name != kHead && !git::IsValidRefName(name)) {
    return Invalid(fmt::format("'{}' is not a reference's name", Printable(name)));
  }
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, id));
  if (expected) {
    QUORATE_TRY(CheckValue(*expected, repository->format()));
  }
  if (state_->ref_names.contains({id, name})) {
    return Invalid(fmt::format("'{}' is changed or asserted twice", Printable(name)));
  }
  internal::Assertion assertion{
      .repository = id, .name = name, .expected = std::move(expected), .in_snapshot = {}};
  if (repository->create) {
    assertion.in_new_repository = true;
    if (name == kHead) {
      assertion.in_snapshot.emplace().symref = repository->create->default_branch;
    }
  } else if (name == kHead) {
    assertion.in_snapshot = repository->in_snapshot->head;
  } else {
    assertion.in_snapshot = QUORATE_TRY(state_->snapshot.FindRef(id, name));
  }
  state_->ref_names.emplace(std::pair(id, std::move(name)), internal::kOnlyAsserted);
  repository->asserted = true;
  state_->assertions.push_back(std::move(assertion));
  return Ok();
}

Status Transaction::StagePack(RepositoryId id, std::unique_ptr<git::QuarantinedPack> pack) {
  QUORATE_CHECK(pack != nullptr);
  internal::UnloggedPack unlogged(std::move(pack));
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, id));
  repository->changed = true;
  state_->packs.push_back(internal::StagedPack{.repository = id, .pack = std::move(unlogged)});
  return Ok();
}

Status Transaction::StageRepositoryCreate(RepositoryId id, git::ObjectFormat format,
                                          std::string default_branch) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!git::IsValidRefName(default_branch)) {
    return Invalid(fmt::format("'{}' is not a reference's name", Printable(default_branch)));
  }
  StagedRepository* repository = QUORATE_TRY(Touch(*state_, id));
  if (repository->create || repository->changed) {
    return Invalid(fmt::format("repository {} was changed before it is created", id.value));
  }
  repository->create = internal::RepositoryCreate{
      .repository = id, .format = format, .default_branch = std::move(default_branch)};
  return Ok();
}

Status Transaction::StageRepositoryDelete(RepositoryId id) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, id));
  if (repository->create || repository->changed) {
    return Invalid(fmt::format("repository {} was changed before it is deleted", id.value));
  }
  repository->erase = true;
  return Ok();
}

Status Transaction::StageConfig(RepositoryId id, std::string_view name,
                                std::optional<std::vector<std::string>> expected,
                                std::vector<std::string> values) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  const std::optional<std::string> canonical = git::CanonicalConfigName(name);
  if (!canonical) {
    return Invalid(fmt::format("'{}' is not a name of the configuration", Printable(name)));
  }
  if (values.size() > git::kConfigValuesMax || !std::ranges::all_of(values, git::IsConfigValue)) {
    return Invalid(fmt::format("{}: at most {} values of at most {} bytes, without NUL", *canonical,
                               git::kConfigValuesMax, git::kConfigValueBytesMax));
  }
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, id));
  if (state_->config_names.contains({id, *canonical})) {
    return Invalid(fmt::format("{} is changed twice", *canonical));
  }
  internal::StagedConfig staged{.repository = id,
                                .name = *canonical,
                                .expected = std::move(expected),
                                .values = std::move(values),
                                .in_snapshot = {}};
  if (!repository->create) {
    staged.in_snapshot = QUORATE_TRY(state_->snapshot.FindConfig(id, *canonical));
  }
  state_->config_names.emplace(std::pair(id, *canonical), state_->configs.size());
  repository->changed = true;
  state_->configs.push_back(std::move(staged));
  return Ok();
}

Status Transaction::StageKey(std::string key, std::optional<std::optional<std::string>> expected,
                             std::optional<std::string> value) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (key.empty() || key.size() > kUserKeyBytesMax) {
    return Invalid(fmt::format("a key has 1 to {} bytes", kUserKeyBytesMax));
  }
  if (const auto own = state_->key_names.find(key); own != state_->key_names.end()) {
    internal::StagedKey& again = state_->keys[own->second];
    if (expected && *expected != again.value) {
      return Invalid(fmt::format("key '{}' is not what was staged before", Printable(key)));
    }
    again.value = std::move(value);
    return Ok();
  }
  internal::StagedKey staged;
  staged.in_snapshot = QUORATE_TRY(state_->snapshot.FindKey(key));
  state_->key_names.emplace(key, state_->keys.size());
  staged.key = std::move(key);
  staged.expected = std::move(expected);
  staged.value = std::move(value);
  state_->keys.push_back(std::move(staged));
  return Ok();
}

// The consumer that the snapshot has of this name, about to be changed.
Result<std::optional<Consumer>> Transaction::TouchConsumer(RepositoryId id,
                                                           const std::string& name) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  QUORATE_TRY(CheckConsumerName(name));
  StagedRepository* repository = QUORATE_TRY(TouchExisting(*state_, id));
  const auto same = [&](const internal::StagedConsumer& staged) {
    return staged.repository == id && staged.name == name;
  };
  if (std::ranges::any_of(state_->consumers, same)) {
    return Invalid(fmt::format("consumer {} is changed twice", name));
  }
  repository->changed = true;
  if (repository->create) {
    return std::optional<Consumer>();
  }
  Result<Consumer> found = FindConsumer(state_->snapshot, id, name);
  if (!found && found.error().code() != Code::kNotFound) {
    return std::move(found).error();
  }
  return found ? std::optional(*std::move(found)) : std::nullopt;
}

Result<Consumer> Transaction::TouchFollowing(RepositoryId id, const std::string& name) {
  QUORATE_TRY(TouchConsumer(id, name));
  return FindFollowingConsumer(state_->snapshot, id, name);
}

void Transaction::StageConsumer(RepositoryId id, std::string name,
                                std::optional<Consumer> in_snapshot,
                                std::optional<Consumer> value) {
  state_->consumers.push_back({.repository = id,
                               .name = std::move(name),
                               .in_snapshot = std::move(in_snapshot),
                               .value = std::move(value)});
}

Status Transaction::StageConsumerCreate(RepositoryId id, std::string name) {
  std::optional<Consumer> before = QUORATE_TRY(TouchConsumer(id, name));
  if (before && !before->cut_off()) {
    return Error(Code::kAlreadyExists, fmt::format("consumer {} exists already", name));
  }
  const auto others = QUORATE_TRY(ListConsumers(state_->snapshot, id));
  if (!before && others.size() >= kConsumersMax) {
    return Error(Code::kResourceExhausted,
                 fmt::format("the repository has {} consumers", others.size()));
  }
  Consumer made{.repository = id, .name = name};
  StageConsumer(id, std::move(name), std::move(before), std::move(made));
  return Ok();
}

Status Transaction::StageConsumerAck(RepositoryId id, std::string name, Lsn lsn) {
  const Consumer before = QUORATE_TRY(TouchFollowing(id, name));
  if (lsn > state_->snapshot.lsn()) {
    return Invalid(fmt::format("entry {} is not committed yet", lsn.value));
  }
  Consumer after = before;
  after.acknowledged = std::max(before.acknowledged, lsn);
  StageConsumer(id, std::move(name), before, std::move(after));
  return Ok();
}

Status Transaction::StageConsumerRemove(RepositoryId id, std::string name) {
  std::optional<Consumer> before = QUORATE_TRY(TouchConsumer(id, name));
  if (!before) {
    return Error(Code::kNotFound, fmt::format("there is no consumer {}", name));
  }
  StageConsumer(id, std::move(name), std::move(before), std::nullopt);
  return Ok();
}

Status Transaction::StageConsumerCutOff(RepositoryId id, std::string name) {
  const Consumer before = QUORATE_TRY(TouchFollowing(id, name));
  Consumer after = before;
  after.lost_first = before.acknowledged.Next();
  StageConsumer(id, std::move(name), before, std::move(after));
  return Ok();
}

// What is in a repository goes with it, so the repository is read too.
void Transaction::DeclareRepositoryRead(RepositoryId repository) {
  if (state_->reading != repository) {
    state_->reading = repository;
    state_->reading_refs = internal::RefWindowKey(repository, "");
    state_->reads.Add(internal::RepositoryWindowKey(repository));
  }
}

// Called for each of many thousands, it calls nobody without need.
Status Transaction::DeclareRefRead(RepositoryId repository, std::string_view name) {
  if (ended_ || state_ == nullptr) {
    return CheckOpen(LifeCycleError::Call::kStage);
  }
  if (!state_->checks_reads()) {
    return Ok();
  }
  if (state_->reading != repository) {
    DeclareRepositoryRead(repository);
  }
  if (name == kHead) {
    state_->reads.Add(internal::HeadWindowKey(repository));
  } else {
    state_->reads.Add(state_->reading_refs, name);
  }
  return Ok();
}

Status Transaction::DeclareRefPrefixRead(RepositoryId repository, std::string_view prefix) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!state_->checks_reads()) {
    return Ok();
  }
  DeclareRepositoryRead(repository);
  state_->prefix_reads.insert(internal::RefWindowKey(repository, prefix));
  return Ok();
}

Status Transaction::DeclareConfigRead(RepositoryId repository, std::string_view name) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!state_->checks_reads()) {
    return Ok();
  }
  DeclareRepositoryRead(repository);
  state_->reads.Add(internal::ConfigWindowKey(repository, ""), name);
  return Ok();
}

Status Transaction::DeclareConfigPrefixRead(RepositoryId repository, std::string_view prefix) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!state_->checks_reads()) {
    return Ok();
  }
  DeclareRepositoryRead(repository);
  state_->prefix_reads.insert(internal::ConfigWindowKey(repository, prefix));
  return Ok();
}

Status Transaction::DeclareKeyPrefixRead(std::string_view prefix) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!state_->checks_reads()) {
    return Ok();
  }
  state_->prefix_reads.insert(internal::UserWindowKey(prefix));
  return Ok();
}

Status Transaction::DeclareKeyRead(std::string_view key) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kStage));
  if (!state_->checks_reads()) {
    return Ok();
  }
  state_->reads.Add(internal::UserWindowKey(""), key);
  return Ok();
}

}  // namespace quorate::txn
