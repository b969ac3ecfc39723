#include "sim/judge.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace quorate::sim {
namespace {

using Changes = std::map<std::string, Value>;

constexpr std::string_view kMadeHere = "made by this entry";

std::string Shown(const Value& value) {
  return value.value_or("none");
}

// A key's value, and whether that is newer than the transaction's snapshot, given what the
// transaction itself made of repositories.
struct Seen {
  Value value;
  bool newer = false;
};

class Judging {
 public:
  Judging(const Model& model, const Spec& spec, Lsn snapshot, Lsn at)
      : model_(model), spec_(spec), snapshot_(snapshot), at_(at) {}

  Judgement Run(bool judge_reads) {
    if (!spec_.only_reads()) {
      RunChecks(judge_reads);
    }
    return std::move(result_);
  }

 private:
  void RunChecks(bool judge_reads) {
    result_.refused = judge_reads && spec_.serializable ? FindStaleRead() : std::nullopt;
    for (const auto check : {&Judging::CheckRepositories, &Judging::CheckAssertions,
                             &Judging::CheckRefs, &Judging::CheckHeads, &Judging::CheckConfigs,
                             &Judging::CheckKeys, &Judging::CheckConsumers}) {
      if (result_.refused) {
        return;
      }
      result_.refused = (this->*check)();
    }
    for (const PackWrite& pack : spec_.packs) {
      if (TakesPack(pack)) {
        result_.packs.push_back(&pack);
      }
    }
  }

  Value Current(const std::string& key) const { return model_.ValueAt(key, at_); }
  bool WrittenSince(const std::string& key) const { return model_.WriterAt(key, at_) > snapshot_; }
  Seen Look(const std::string& key, const Changes& own) const;
  bool MakesAnew(RepositoryId repository, const Changes& own) const;
  std::set<RepositoryId> Touched() const;

  std::optional<std::string> FindStaleRead() const;
  std::optional<std::string> CheckRepositories();
  std::optional<std::string> CheckAssertions();
  std::optional<std::string> CheckRefs();
  bool NameIsFree(const RefWrite& write) const;
  std::optional<std::string> CheckHeads();
  std::optional<std::string> CheckConfigs();
  std::optional<std::string> CheckKeys();
  std::optional<std::string> CheckConsumers();
  bool TakesPack(const PackWrite& pack) const;

  const Model& model_;
  const Spec& spec_;
  const Lsn snapshot_;
  const Lsn at_;
  Judgement result_;
};

Seen Judging::Look(const std::string& key, const Changes& own) const {
  if (const auto change = own.find(key); change != own.end()) {
    return {.value = change->second, .newer = false};
  }
  return {.value = Current(key), .newer = WrittenSince(key)};
}

// In such a repository nothing of the past counts, whenever that was written.
bool Judging::MakesAnew(RepositoryId repository, const Changes& own) const {
  const auto made = own.find(RepositoryKey(repository));
  return made != own.end() && made->second.has_value();
}

std::optional<std::string> Judging::FindStaleRead() const {
  for (const Read& read : spec_.reads) {
    const bool of_repository = read.repository != RepositoryId{};
    if (of_repository && WrittenSince(RepositoryKey(read.repository))) {
      return "it read " + RepositoryKey(read.repository) + ", which was written since";
    }
    const std::string wanted = read.Key();
    for (const std::string& key : read.is_range() ? model_.KeysWith(wanted) : std::vector{wanted}) {
      if (WrittenSince(key)) {
        return "it read " + key + ", which was written since";
      }
    }
  }
  return std::nullopt;
}

std::set<RepositoryId> Judging::Touched() const {
  std::set<RepositoryId> touched;
  const auto add = [&touched](const auto& all) {
    for (const auto& one : all) {
      touched.insert(one.repository);
    }
  };
  add(spec_.refs);
  add(spec_.heads);
  add(spec_.configs);
  add(spec_.consumers);
  add(spec_.assertions);
  add(spec_.packs);
  return touched;
}

std::optional<std::string> Judging::CheckRepositories() {
  Changes& out = result_.changes;
  for (const RepositoryWrite& write : spec_.repositories) {
    const RepositoryId id = write.repository;
    const std::string key = RepositoryKey(id);
    if (write.erase) {
      if (WrittenSince(key) || !Current(key)) {
        return key + " is not the one it saw";
      }
      out[key] = std::nullopt;
      out[HeadKey(id)] = std::nullopt;
      for (const std::string& kind : {RefKey(id, ""), ConfigKey(id, ""), ConsumerKey(id, "")}) {
        for (const std::string& inside : model_.KeysWith(kind)) {
          if (Current(inside)) {
            out[inside] = std::nullopt;
          }
        }
      }
    } else if (Current(key)) {
      return key + " is created and exists";
    }
    if (write.create) {
      out[key] = "exists";
      out[HeadKey(id)] = "@refs/heads/main";
    }
  }
  for (const RepositoryId id : Touched()) {
    const Seen seen = Look(RepositoryKey(id), out);
    if (seen.newer || !seen.value) {
      return RepositoryKey(id) + " is not the one it saw";
    }
  }
  return std::nullopt;
}

std::optional<std::string> Judging::CheckAssertions() {
  for (const Assertion& assertion : spec_.assertions) {
    const Value found = Look(assertion.Key(), result_.changes).value;
    if (found != assertion.expected) {
      return assertion.Key() + " is " + Shown(found) + ", asserted " + Shown(assertion.expected);
    }
  }
  return std::nullopt;
}

// Deletions first; creations in their order, so that of two that exclude one another the first
// stays.
std::optional<std::string> Judging::CheckRefs() {
  Changes& out = result_.changes;
  const Changes before = out;  // What repositories became.
  std::optional<std::string> refused;
  result_.refs_left_out.assign(spec_.refs.size(), false);
  for (std::size_t i = 0; i < spec_.refs.size(); ++i) {
    const RefWrite& write = spec_.refs[i];
    const std::string key = RefKey(write.repository, write.name);
    const Seen seen = MakesAnew(write.repository, before) ? Seen() : Look(key, before);
    const bool blind = !write.expected && (write.value || seen.value) && seen.newer;
    if (blind || (write.expected && *write.expected != seen.value)) {
      refused = key + " is " + Shown(seen.value) +
                (blind ? ", written since" : ", expected " + Shown(*write.expected));
      result_.refs_left_out[i] = true;
    } else if (!write.value && seen.value) {
      out[key] = std::nullopt;
    }
  }
  for (std::size_t i = 0; i < spec_.refs.size(); ++i) {
    const RefWrite& write = spec_.refs[i];
    const std::string key = RefKey(write.repository, write.name);
    const Value current = Look(key, before).value;
    if (result_.refs_left_out[i] || !write.value || write.value == current) {
      continue;
    }
    if (!current && !NameIsFree(write)) {
      refused = key + " is not a free name";
      result_.refs_left_out[i] = true;
      continue;
    }
    out[key] = write.value;
  }
  return spec_.atomic ? refused : std::nullopt;
}

// Neither a reference above it nor one below it exists afterwards.
bool Judging::NameIsFree(const RefWrite& write) const {
  const Changes& own = result_.changes;
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
  return std::ranges::none_of(model_.KeysWith(below), exists);
}

std::optional<std::string> Judging::CheckHeads() {
  for (const HeadWrite& write : spec_.heads) {
    const std::string key = HeadKey(write.repository);
    const Seen seen = Look(key, result_.changes);
    if (write.expected ? Value(write.expected) != seen.value : seen.newer) {
      return key + " is " + Shown(seen.value) + ", which it did not expect";
    }
    if (write.value != seen.value) {
      result_.changes[key] = write.value;
    }
  }
  return std::nullopt;
}

// Without an expectation it must not have been written since, not even if it is unset again.
std::optional<std::string> Judging::CheckConfigs() {
  for (const ConfigWrite& write : spec_.configs) {
    const std::string key = ConfigKey(write.repository, write.name);
    const Seen seen =
        MakesAnew(write.repository, result_.changes) ? Seen() : Look(key, result_.changes);
    if (write.expected ? *write.expected != seen.value : seen.newer) {
      return key + " is " + Shown(seen.value) + ", which it did not expect";
    }
    if (write.value != seen.value) {
      result_.changes[key] = write.value;
    }
  }
  return std::nullopt;
}

std::optional<std::string> Judging::CheckKeys() {
  for (const KeyWrite& write : spec_.keys) {
    const std::string key = UserKey(write.key);
    const Value current = Current(key);
    const bool blind = !write.expected && (write.value || current) && WrittenSince(key);
    if (blind || (write.expected && *write.expected != current)) {
      return key + " is " + Shown(current) + ", which it did not expect";
    }
    if (write.value != current) {
      result_.changes[key] = write.value;
    }
  }
  return std::nullopt;
}

// Each builds on what the snapshot says of the consumer.
std::optional<std::string> Judging::CheckConsumers() {
  for (const ConsumerWrite& write : spec_.consumers) {
    const std::string key = ConsumerKey(write.repository, write.name);
    if (WrittenSince(key)) {
      return key + " was written since";
    }
    const Value current = Current(key);
    auto consumer = current ? ParseConsumer(*current) : std::nullopt;
    const bool follows = consumer && !consumer->cut_off();
    Value after;
    switch (write.what) {
      case ConsumerWrite::What::kCreate:
        if (follows) {
          return key + " is created and exists";
        }
        after = kMadeHere;
        break;
      case ConsumerWrite::What::kAcknowledge:
        if (!follows || write.acknowledged > snapshot_) {
          return key + " cannot acknowledge that";
        }
        consumer->acknowledged = std::max(consumer->acknowledged, write.acknowledged);
        after = TextOf(*consumer);
        break;
      case ConsumerWrite::What::kRemove:
        if (!consumer) {
          return key + " is removed and does not exist";
        }
        break;
    }
    if (after != current) {
      result_.changes[key] = after;
    }
  }
  return std::nullopt;
}

// A pack that only refused references of its repository wanted stays out.
bool Judging::TakesPack(const PackWrite& pack) const {
  const bool wanted = std::ranges::any_of(
      spec_.refs, [&pack](const RefWrite& write) { return write.repository == pack.repository; });
  const std::string refs = RefKey(pack.repository, "");
  return !wanted || std::ranges::any_of(result_.changes, [&](const auto& change) {
    return change.first.starts_with(refs) || change.first == HeadKey(pack.repository);
  });
}

}  // namespace

Judgement Judge(const Model& model, const Spec& spec, Lsn snapshot, Lsn at, bool judge_reads) {
  return Judging(model, spec, snapshot, at).Run(judge_reads);
}

Value AtEntry(Value value, Lsn lsn) {
  if (value != kMadeHere) {
    return value;
  }
  txn::Consumer made;
  made.acknowledged = made.created = lsn;
  return TextOf(made);
}

std::optional<txn::Consumer> ParseConsumer(const std::string& text) {
  txn::Consumer consumer;
  std::istringstream words(text);
  words >> consumer.acknowledged.value >> consumer.created.value >> consumer.lost_first.value >>
      consumer.lost_last.value;
  return words ? std::optional(consumer) : std::nullopt;
}

}  // namespace quorate::sim
