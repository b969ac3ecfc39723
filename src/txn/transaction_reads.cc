// Transaction's reads: the snapshot under its own changes, declared as read as they happen.
#include <utility>

#include "txn/internal/transaction_state.h"
#include "txn/internal/window_keys.h"
#include "txn/transaction.h"

namespace quorate::txn {
namespace {

// The transaction's own changes of one range of names, ascending. Nothing deletes.
template <class Value>
using Own = std::vector<std::pair<std::string, std::optional<Value>>>;

// Calls `visit(name, value)` for what `walk(visit)` finds and for the own changes, in order, an own
// change in place of what it changes, until it returns false.
template <class Value, class Walk, class Visit>
Status WalkUnder(const Own<Value>& own, Walk walk, Visit visit) {
  auto next = own.begin();
  bool more = true;
  const auto visit_own = [&] {
    if (next->second) {
      more = visit(next->first, *next->second);
    }
    ++next;
  };
  QUORATE_TRY(walk([&](const std::string& name, const Value& value) {
    while (more && next != own.end() && next->first < name) {
      visit_own();
    }
    if (more && next != own.end() && next->first == name) {
      visit_own();
    } else if (more) {
      more = visit(name, value);
    }
    return more;
  }));
  while (more && next != own.end()) {
    visit_own();
  }
  return Ok();
}

// The transaction creates it: nothing of the snapshot counts, and nobody else can write it.
bool Creates(const Transaction::State& state, RepositoryId id) {
  const auto at = state.repositories.find(id);
  return at != state.repositories.end() && at->second.create.has_value();
}

bool Erases(const Transaction::State& state, RepositoryId id) {
  const auto at = state.repositories.find(id);
  return at != state.repositories.end() && at->second.erase && !at->second.create;
}

}  // namespace

Result<std::optional<RefValue>> Transaction::FindRef(RepositoryId id, std::string_view name) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  if (const auto own = state_->ref_names.find({id, std::string(name)});
      own != state_->ref_names.end() && own->second != internal::kOnlyAsserted) {
    return state_->refs[own->second].update.value;
  }
  if (Creates(*state_, id) || Erases(*state_, id)) {
    return std::optional<RefValue>();
  }
  QUORATE_TRY(DeclareRefRead(id, name));
  return state_->snapshot.FindRef(id, name);
}

Result<std::optional<RefValue>> Transaction::FindHead(RepositoryId id) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  for (const internal::StagedHead& head : state_->heads) {
    if (head.repository == id) {
      return std::optional(head.value);
    }
  }
  if (Creates(*state_, id)) {
    RefValue head;
    head.symref = state_->repositories.at(id).create->default_branch;
    return std::optional(std::move(head));
  }
  if (Erases(*state_, id)) {
    return std::optional<RefValue>();
  }
  QUORATE_TRY(DeclareRefRead(id, internal::kHeadName));
  const auto info = QUORATE_TRY(state_->snapshot.FindRepository(id));
  return info ? std::optional(info->head) : std::nullopt;
}

Status Transaction::ForEachRef(RepositoryId id, std::string_view prefix,
                               const std::function<bool(const Ref&)>& visit) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  Own<RefValue> own;
  for (auto at = state_->ref_names.lower_bound({id, std::string(prefix)});
       at != state_->ref_names.end() && at->first.first == id &&
       at->first.second.starts_with(prefix);
       ++at) {
    if (at->second < state_->refs.size()) {
      own.emplace_back(at->first.second, state_->refs[at->second].update.value);
    }
  }
  const bool sees_snapshot = !Creates(*state_, id) && !Erases(*state_, id);
  if (sees_snapshot) {
    QUORATE_TRY(DeclareRefPrefixRead(id, prefix));
  }
  const auto walk = [&](const auto& visit_one) -> Status {
    if (!sees_snapshot) {
      return Ok();
    }
    return state_->snapshot.ForEachRef(
        id, prefix, [&visit_one](const Ref& ref) { return visit_one(ref.name, ref.value); });
  };
  return WalkUnder(own, walk, [&visit](const std::string& name, const RefValue& value) {
    return visit({.name = name, .value = value});
  });
}

Result<std::vector<std::string>> Transaction::FindConfig(RepositoryId id, std::string_view name) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  const std::optional<std::string> canonical = git::CanonicalConfigName(name);
  if (!canonical) {
    return std::vector<std::string>();  // Nobody can set it.
  }
  if (const auto own = state_->config_names.find({id, *canonical});
      own != state_->config_names.end()) {
    return state_->configs[own->second].values;
  }
  if (Creates(*state_, id) || Erases(*state_, id)) {
    return std::vector<std::string>();
  }
  QUORATE_TRY(DeclareConfigRead(id, *canonical));
  return state_->snapshot.FindConfig(id, *canonical);
}

Status Transaction::ForEachConfig(RepositoryId id, std::string_view prefix,
                                  const std::function<bool(const git::ConfigEntry&)>& visit) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  Own<std::vector<std::string>> own;
  for (auto at = state_->config_names.lower_bound({id, std::string(prefix)});
       at != state_->config_names.end() && at->first.first == id &&
       at->first.second.starts_with(prefix);
       ++at) {
    const std::vector<std::string>& values = state_->configs[at->second].values;
    own.emplace_back(at->first.second, values.empty() ? std::nullopt : std::optional(values));
  }
  const bool sees_snapshot = !Creates(*state_, id) && !Erases(*state_, id);
  if (sees_snapshot) {
    QUORATE_TRY(DeclareConfigPrefixRead(id, prefix));
  }
  const auto walk = [&](const auto& visit_one) -> Status {
    if (!sees_snapshot) {
      return Ok();
    }
    return state_->snapshot.ForEachConfig(id, prefix, [&visit_one](const git::ConfigEntry& entry) {
      return visit_one(entry.name, entry.values);
    });
  };
  return WalkUnder(own, walk,
                   [&visit](const std::string& name, const std::vector<std::string>& values) {
                     return visit({.name = name, .values = values});
                   });
}

Result<std::optional<std::string>> Transaction::FindKey(std::string_view key) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  if (const auto own = state_->key_names.find(key); own != state_->key_names.end()) {
    return state_->keys[own->second].value;
  }
  QUORATE_TRY(DeclareKeyRead(key));
  return state_->snapshot.FindKey(key);
}

Status Transaction::ForEachKey(
    std::string_view prefix,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  QUORATE_TRY(CheckOpen(LifeCycleError::Call::kRead));
  Own<std::string> own;
  for (auto at = state_->key_names.lower_bound(prefix);
       at != state_->key_names.end() && at->first.starts_with(prefix); ++at) {
    own.emplace_back(at->first, state_->keys[at->second].value);
  }
  QUORATE_TRY(DeclareKeyPrefixRead(prefix));
  const auto walk = [&](const auto& visit_one) {
    return state_->snapshot.ForEachKey(prefix,
                                       [&visit_one](std::string_view key, std::string_view value) {
                                         return visit_one(std::string(key), std::string(value));
                                       });
  };
  return WalkUnder(own, walk, visit);
}

}  // namespace quorate::txn
