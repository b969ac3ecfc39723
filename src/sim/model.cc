#include "sim/model.h"

#include <algorithm>
#include <utility>

namespace quorate::sim {
namespace {

std::string Shown(const Value& value) {
  return value.value_or("none");
}

}  // namespace

const Model::Version* Model::Newest(const std::string& key) const {
  const auto cell = cells_.find(key);
  return cell == cells_.end() ? nullptr : &cell->second.back();
}

Value Model::Current(const std::string& key) const {
  const Version* newest = Newest(key);
  return newest == nullptr ? Value() : newest->value;
}

bool Model::WrittenAfter(const std::string& key, Lsn snapshot) const {
  const Version* newest = Newest(key);
  return newest != nullptr && newest->lsn > snapshot;
}

std::vector<Lsn> Model::WritesOf(const std::string& key) const {
  std::vector<Lsn> writes;
  if (const auto cell = cells_.find(key); cell != cells_.end()) {
    for (const Version& version : cell->second) {
      writes.push_back(version.lsn);
    }
  }
  return writes;
}

std::vector<std::string> Model::KeysWith(std::string_view prefix) const {
  std::vector<std::string> keys;
  for (auto cell = cells_.lower_bound(std::string(prefix));
       cell != cells_.end() && cell->first.starts_with(prefix); ++cell) {
    keys.push_back(cell->first);
  }
  return keys;
}

Contents Model::StateAt(Lsn at) const {
  Contents contents;
  for (const auto& [key, versions] : cells_) {
    const auto after = std::ranges::upper_bound(versions, at, {}, &Version::lsn);
    if (after != versions.begin() && std::prev(after)->value) {
      contents[key] = *std::prev(after)->value;
    }
  }
  return contents;
}

Contents Model::ReadAt(const Read& read, Lsn at) const {
  const std::string wanted = read.Key();
  Contents contents;
  for (const std::string& key : KeysWith(wanted)) {
    if (read.kind != Read::Kind::kPrefix && key != wanted) {
      continue;
    }
    const std::vector<Version>& versions = cells_.at(key);
    const auto after = std::ranges::upper_bound(versions, at, {}, &Version::lsn);
    if (after != versions.begin() && std::prev(after)->value) {
      contents[key] = *std::prev(after)->value;
    }
  }
  return contents;
}

std::optional<std::string> Model::FindStaleRead(const Spec& spec, Lsn snapshot) const {
  for (const Read& read : spec.reads) {
    const std::string wanted = read.Key();
    if (read.kind != Read::Kind::kKey && WrittenAfter(RepositoryKey(read.repository), snapshot)) {
      return RepositoryKey(read.repository);
    }
    for (const std::string& key : KeysWith(wanted)) {
      const bool covered = read.kind == Read::Kind::kPrefix || key == wanted;
      if (covered && WrittenAfter(key, snapshot)) {
        return key;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Model::Commit(const Spec& spec, Lsn snapshot, Lsn lsn,
                                         bool judge_reads) {
  if (snapshot >= lsn) {
    return "its snapshot is not older than itself";
  }
  if (judge_reads && spec.serializable) {
    if (const auto stale = FindStaleRead(spec, snapshot)) {
      return "it read " + *stale + ", which was written since";
    }
  }
  Changes changes;
  if (auto reason = CheckRepositories(spec, snapshot, changes)) {
    return reason;
  }
  if (auto reason = FindBrokenAssertion(spec, snapshot, changes)) {
    return reason;
  }
  if (auto reason = CheckRefs(spec, snapshot, changes)) {
    return reason;
  }
  if (auto reason = CheckOthers(spec, snapshot, changes)) {
    return reason;
  }
  bool empty = changes.empty();
  for (const PackWrite& pack : spec.packs) {
    if (TakesPack(spec, pack, changes)) {
      objects_[pack.object] = pack.parent;
      empty = false;
    }
  }
  if (empty) {
    return "it changes nothing and is an entry all the same";
  }
  for (const auto& [key, value] : changes) {
    Write(lsn, key, value);
  }
  lsn_ = lsn;
  return std::nullopt;
}

// A pack that only refused references of its repository wanted stays out.
bool Model::TakesPack(const Spec& spec, const PackWrite& pack, const Changes& changes) {
  const bool wanted = std::ranges::any_of(
      spec.refs, [&pack](const RefWrite& write) { return write.repository == pack.repository; });
  const std::string refs = RefKey(pack.repository, "");
  return !wanted || std::ranges::any_of(changes, [&](const auto& change) {
    return change.first.starts_with(refs) || change.first == HeadKey(pack.repository);
  });
}

Model::Seen Model::Look(const std::string& key, Lsn snapshot, const Changes& own) const {
  if (const auto change = own.find(key); change != own.end()) {
    return {.value = change->second, .newer = false};
  }
  return {.value = Current(key), .newer = WrittenAfter(key, snapshot)};
}

std::optional<std::string> Model::FindBrokenAssertion(const Spec& spec, Lsn snapshot,
                                                      const Changes& own) const {
  for (const Assertion& assertion : spec.assertions) {
    const Value found = Look(assertion.Key(), snapshot, own).value;
    if (found != assertion.expected) {
      return assertion.Key() + " is " + Shown(found) + ", asserted " + Shown(assertion.expected);
    }
  }
  return std::nullopt;
}

std::optional<std::string> Model::CheckRepositories(const Spec& spec, Lsn snapshot,
                                                    Changes& out) const {
  for (const RepositoryWrite& write : spec.repositories) {
    const std::string key = RepositoryKey(write.repository);
    if (write.erase) {
      if (WrittenAfter(key, snapshot) || !Current(key)) {
        return key + " is not the one it saw";
      }
      out[key] = std::nullopt;
      out[HeadKey(write.repository)] = std::nullopt;
      for (const std::string& ref : KeysWith(RefKey(write.repository, ""))) {
        if (Current(ref)) {
          out[ref] = std::nullopt;
        }
      }
    } else if (Current(key)) {
      return key + " is created and exists";
    }
    if (write.create) {
      out[key] = "exists";
      out[HeadKey(write.repository)] = "@refs/heads/main";
    }
  }
  std::set<RepositoryId> touched;
  for (const RefWrite& write : spec.refs) {
    touched.insert(write.repository);
  }
  for (const HeadWrite& write : spec.heads) {
    touched.insert(write.repository);
  }
  for (const Assertion& assertion : spec.assertions) {
    touched.insert(assertion.repository);
  }
  for (const PackWrite& pack : spec.packs) {
    touched.insert(pack.repository);
  }
  for (const RepositoryId id : touched) {
    const Seen seen = Look(RepositoryKey(id), snapshot, out);
    if (seen.newer || !seen.value) {
      return RepositoryKey(id) + " is not the one it saw";
    }
  }
  return std::nullopt;
}

// Deletions first; creations in their order, so that of two that exclude one another the first
// stays.
std::optional<std::string> Model::CheckRefs(const Spec& spec, Lsn snapshot, Changes& out) const {
  const Changes before = out;  // What repositories became.
  std::vector<const RefWrite*> accepted;
  std::optional<std::string> refused;
  for (const RefWrite& write : spec.refs) {
    const std::string key = RefKey(write.repository, write.name);
    // In a repository that it makes anew nothing of the past counts, whenever that was written.
    const auto made = before.find(RepositoryKey(write.repository));
    const bool anew = made != before.end() && made->second.has_value();
    const Seen seen = anew ? Seen{.value = {}, .newer = false} : Look(key, snapshot, before);
    const bool blind = !write.expected && (write.value || seen.value) && seen.newer;
    if (blind || (write.expected && *write.expected != seen.value)) {
      refused = key + " is " + Shown(seen.value) +
                (blind ? ", written since" : ", expected " + Shown(*write.expected));
      continue;
    }
    accepted.push_back(&write);
    if (!write.value && seen.value) {
      out[key] = std::nullopt;
    }
  }
  for (const RefWrite* write : accepted) {
    const std::string key = RefKey(write->repository, write->name);
    const Value current = Look(key, snapshot, before).value;
    if (!write->value || write->value == current) {
      continue;
    }
    if (!current && !NameIsFree(*write, out)) {
      refused = key + " is not a free name";
      continue;
    }
    out[key] = write->value;
  }
  return spec.atomic ? refused : std::nullopt;
}

// Neither a reference above it nor one below it exists afterwards.
bool Model::NameIsFree(const RefWrite& write, const Changes& own) const {
  const auto exists = [&](const std::string& key) {
    const auto change = own.find(key);
    return change != own.end() ? change->second.has_value() : Current(key).has_value();
  };
  for (std::size_t slash = write.name.find('/'); slash != std::string::npos;
       slash = write.name.find('/', slash + 1)) {
    if (exists(RefKey(write.repository, write.name.substr(0, slash)))) {
      return false;
    }
  }
  const std::string below = RefKey(write.repository, write.name + "/");
  for (auto change = own.lower_bound(below);
       change != own.end() && change->first.starts_with(below); ++change) {
    if (change->second) {
      return false;
    }
  }
  return std::ranges::none_of(KeysWith(below), exists);
}

std::optional<std::string> Model::CheckOthers(const Spec& spec, Lsn snapshot, Changes& out) const {
  for (const HeadWrite& write : spec.heads) {
    const std::string key = HeadKey(write.repository);
    const Seen seen = Look(key, snapshot, out);
    if (write.expected ? Value(write.expected) != seen.value : seen.newer) {
      return key + " is " + Shown(seen.value) + ", which it did not expect";
    }
    if (write.value != seen.value) {
      out[key] = write.value;
    }
  }
  for (const KeyWrite& write : spec.keys) {
    const std::string key = UserKey(write.key);
    const Value current = Current(key);
    const bool blind = !write.expected && (write.value || current) && WrittenAfter(key, snapshot);
    if (blind || (write.expected && *write.expected != current)) {
      return key + " is " + Shown(current) + ", which it did not expect";
    }
    if (write.value != current) {
      out[key] = write.value;
    }
  }
  return std::nullopt;
}

void Model::Write(Lsn lsn, const std::string& key, const Value& value) {
  cells_[key].push_back({.lsn = lsn, .value = value});
}

}  // namespace quorate::sim
