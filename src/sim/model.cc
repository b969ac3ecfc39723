#include "sim/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "sim/judge.h"

namespace quorate::sim {

const Model::Version* Model::NewestAt(const std::string& key, Lsn at) const {
  const auto cell = cells_.find(key);
  if (cell == cells_.end()) {
    return nullptr;
  }
  const auto after = std::ranges::upper_bound(cell->second, at, {}, &Version::lsn);
  return after == cell->second.begin() ? nullptr : &*std::prev(after);
}

Value Model::ValueAt(const std::string& key, Lsn at) const {
  const Version* newest = NewestAt(key, at);
  return newest == nullptr ? Value() : newest->value;
}

Lsn Model::WriterAt(const std::string& key, Lsn at) const {
  const Version* newest = NewestAt(key, at);
  return newest == nullptr ? Lsn{} : newest->lsn;
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
    if (Value value = ValueAt(key, at)) {
      contents[key] = *std::move(value);
    }
  }
  return contents;
}

Contents Model::ReadAt(const Read& read, Lsn at) const {
  const std::string wanted = read.Key();
  Contents contents;
  for (const std::string& key : read.is_range() ? KeysWith(wanted) : std::vector{wanted}) {
    if (Value value = ValueAt(key, at)) {
      contents[key] = *std::move(value);
    }
  }
  return contents;
}

std::map<Lsn, Model::Moves> Model::ChangesOf(RepositoryId repository, Lsn after, Lsn upto) const {
  std::map<Lsn, Moves> changes;
  const std::array<std::string, 3> kinds = {RefKey(repository, ""), HeadKey(repository),
                                            ConfigKey(repository, "")};
  for (const std::string& kind : kinds) {
    for (const std::string& key : KeysWith(kind)) {
      Value before = ValueAt(key, after);
      for (const Version& version : cells_.at(key)) {
        if (version.lsn > after && version.lsn <= upto) {
          changes[version.lsn].push_back(fmt::format("{} {}->{}", key, before.value_or("none"),
                                                     version.value.value_or("none")));
          before = version.value;
        }
      }
    }
  }
  for (auto& [lsn, moves] : changes) {
    std::ranges::sort(moves);
  }
  return changes;
}

std::optional<std::string> Model::Commit(const Spec& spec, Lsn snapshot, Lsn lsn,
                                         bool judge_reads) {
  if (snapshot >= lsn) {
    return "its snapshot is not older than itself";
  }
  Judgement judgement = Judge(*this, spec, snapshot, lsn_, judge_reads);
  if (judgement.refused) {
    return judgement.refused;
  }
  if (judgement.changes_nothing()) {
    return "it changes nothing and is an entry all the same";
  }
  for (const PackWrite* pack : judgement.packs) {
    objects_[pack->object] = pack->parent;
  }
  for (const auto& [key, value] : judgement.changes) {
    Write(lsn, key, value);
  }
  lsn_ = lsn;
  return std::nullopt;
}

std::optional<std::string> Model::CutOff(const std::string& consumer_key, Lsn lsn,
                                         std::uint64_t entries_max) {
  const Value before = ValueAt(consumer_key, lsn_);
  const auto consumer = before ? ParseConsumer(*before) : std::nullopt;
  if (!consumer || consumer->cut_off()) {
    return consumer_key + " is cut off, and does not follow";
  }
  if (lsn.value - consumer->acknowledged.value <= entries_max) {
    return fmt::format("{} is cut off, and is at {} only", consumer_key,
                       consumer->acknowledged.value);
  }
  txn::Consumer after = *consumer;
  after.lost_first = consumer->acknowledged.Next();
  after.lost_last = lsn;
  Write(lsn, consumer_key, TextOf(after));
  lsn_ = lsn;
  return std::nullopt;
}

// What an entry says of its own place is known with it.
void Model::Write(Lsn lsn, const std::string& key, const Value& value) {
  cells_[key].push_back({.lsn = lsn, .value = AtEntry(value, lsn)});
}

}  // namespace quorate::sim
