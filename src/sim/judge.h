// Judge(): may a transaction stand where it stands? The rules of isolation, in the fewest words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "sim/model.h"
#include "sim/spec.h"
#include "txn/consumer.h"

namespace quorate::sim {

struct Judgement {
  std::optional<std::string> refused;  // Why it must not be committed.
  // Of Spec::refs, in order: it is left out. Only for transactions that need not be whole.
  std::vector<bool> refs_left_out;
  std::map<std::string, Value> changes;
  std::vector<const PackWrite*> packs;  // Those that it brings.

  bool changes_nothing() const { return changes.empty() && packs.empty(); }
};

// Of a transaction that read at `snapshot` and comes right behind the entry at `at`.
Judgement Judge(const Model& model, const Spec& spec, Lsn snapshot, Lsn at, bool judge_reads);

// A consumer that is made by an entry does not know the LSN before it has one.
Value AtEntry(Value value, Lsn lsn);
// Of TextOf(); nothing while it has no LSN.
std::optional<txn::Consumer> ParseConsumer(const std::string& text);

}  // namespace quorate::sim
