// What a script is told: errors, conflicts, state.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "txn/testing/scenario.h"
#include "txn/testing/script_words.h"
#include "txn/testing/world.h"

namespace quorate::txn {

void Scenario::Say(std::string line) {
  output_ += std::move(line) + "\n";
}

void Scenario::SayUnlessOk(const Result<void>& status) {
  if (!status) {
    Say(Told(status.error()));
  }
}

// LSNs and ids differ between modes and runs: only what a script can rely on.
std::string Scenario::Told(const Error& error) const {
  if (const Conflicts* conflicts = ConflictOf(error); conflicts != nullptr) {
    std::string text = "conflict";
    for (const Conflict& conflict : conflicts->all) {
      text += "; " + Told(conflict);
    }
    return text;
  }
  if (const SnapshotTooOld* too_old = SnapshotTooOldOf(error); too_old != nullptr) {
    return too_old->snapshot < too_old->floor ? "snapshot too old" : "not too old";
  }
  if (const LifeCycleError* too_late = LifeCycleErrorOf(error); too_late != nullptr) {
    return Told(*too_late);
  }
  return std::string(CodeName(error.code()));
}

std::string Scenario::Told(const LifeCycleError& error) const {
  static constexpr std::string_view kReasons[] = {"already committed", "already aborted", "closed",
                                                  "cancelled", "given up"};
  static constexpr std::string_view kCalls[] = {"begin", "read", "stage", "commit", "abort"};
  return fmt::format("{} ({})", kReasons[static_cast<std::size_t>(error.reason)],
                     kCalls[static_cast<std::size_t>(error.call)]);
}

std::string Scenario::Told(const Conflict& conflict) const {
  const std::string key = conflict.key.ToString();
  const std::string by = Told(conflict.winner);
  switch (conflict.kind) {
    case Conflict::Kind::kValueChanged:
      if (conflict.key.kind == ConflictKey::Kind::kKey ||
          conflict.key.kind == ConflictKey::Kind::kConfig) {
        return key + " changed" + by;
      }
      return key + " expected " + ValueText(conflict.expected) + " found " +
             ValueText(conflict.found) + by;
    case Conflict::Kind::kNameConflict:
      return key + " is in the way" + by;
    case Conflict::Kind::kReadChanged:
      return key + " was read and changed" + by;
    case Conflict::Kind::kRepositoryGone:
      return key + " gone" + by;
    case Conflict::Kind::kRepositoryExists:
      return key + " exists" + by;
  }
  return "unknown";
}

// By whom, as the script names it. The LSN must be the one that the winner is told too.
std::string Scenario::Told(const std::optional<Conflict::Winner>& winner) const {
  if (!winner) {
    return "";
  }
  const auto name = names_.find(winner->transaction.bytes);
  const std::string who = name == names_.end() ? "somebody else" : name->second;
  const auto told = lsns_.find(winner->transaction.bytes);
  const bool wrong = told != lsns_.end() && told->second != winner->lsn;
  return " by " + who + (wrong ? " at a wrong LSN" : "");
}

std::string Scenario::ValueText(const std::optional<RefValue>& value) const {
  if (!value) {
    return "none";
  }
  return value->symref.empty() ? value->id.ToHex() == std::string(40, '0')
                                     ? "zero"
                                     : std::string(1, value->id.raw()[0])
                               : "@" + value->symref;
}

void Scenario::PrintRefs(const Snapshot& snapshot) {
  for (std::uint64_t id = 1; id <= 3; ++id) {
    const auto info = snapshot.FindRepository(RepositoryId{id}).value();
    if (!info) {
      continue;
    }
    Say(fmt::format("repository {} HEAD {}", id, ValueText(info->head)));
    SayUnlessOk(snapshot.ForEachRef(RepositoryId{id}, "", [this](const Ref& ref) {
      Say(ref.name + " " + ValueText(ref.value));
      return true;
    }));
    SayUnlessOk(snapshot.ForEachConfig(RepositoryId{id}, "", [this](const git::ConfigEntry& entry) {
      Say(fmt::format("config {} = {}", entry.name, fmt::join(entry.values, ",")));
      return true;
    }));
  }
  SayUnlessOk(snapshot.ForEachKey("", [this](std::string_view key, std::string_view value) {
    Say(fmt::format("key {} = {}", key, value));
    return true;
  }));
}

// state: what is applied here.
void Scenario::State(const Words&) {
  Result<Snapshot> snapshot = stage_.front().manager().LocalSnapshot();
  if (!snapshot) {
    Say(Told(snapshot.error()));
    return;
  }
  PrintRefs(*snapshot);
}

// view T: what T sees.
void Scenario::View(const Words& words) {
  const Transaction& viewed = transaction(Word(words, 1));
  if (!viewed.is_open()) {
    throw ScriptError{"it has ended"};
  }
  PrintRefs(viewed.snapshot());
}

// history [NAME] [repo=N]
void Scenario::History(const Words& words) {
  const bool named = words.size() > 1 && words[1].find('=') == std::string::npos;
  const std::string name = named ? (words[1] == "HEAD" ? "HEAD" : FullName(words[1])) : "";
  const Result<Snapshot> snapshot = stage_.front().manager().LocalSnapshot();
  if (!snapshot) {
    Say(Told(snapshot.error()));
    return;
  }
  const auto events = snapshot->History(RepositoryOf(words), name, 100).value();
  for (const RefEvent& event : events) {
    std::string text = fmt::format("{}: {} {} -> {}", event.actor, event.name,
                                   ValueText(event.before), ValueText(event.after));
    for (const std::string& option : event.push_options) {
      text += " -o " + option;
    }
    Say(std::move(text));
  }
}

// packs: what happened to packs since the last time.
void Scenario::Packs(const Words&) {
  for (std::string& event : packs_.Take()) {
    Say(std::move(event));
  }
  Say(fmt::format("quarantined {}", packs_.quarantined()));
}

void Scenario::Status(const Words&) {
  auto status = stage_.front().manager().status();
  for (Node* node : stage_.nodes()) {
    // A replica remembers what the transactions need that began there.
    status.window_keys =
        std::max(status.window_keys, node->is_open() ? node->manager().status().window_keys : 0);
  }
  Say(fmt::format("{}{}, in flight {}, window {}", status.leading ? "leading" : "not leading",
                  status.fenced ? ", fenced" : "", status.in_flight, status.window_keys));
}

// read: a snapshot with everything committed so far.
void Scenario::Read(const Words&) {
  stage_.Engage(stage_.front());
  stage_.front().manager().ReadSnapshot([this](Result<Snapshot> snapshot) {
    if (!snapshot) {
      Say("read: " + Told(snapshot.error()));
      return;
    }
    Say("read:");
    PrintRefs(*snapshot);
  });
}

// outcome ID: what is known of the transaction with this id where it began: no other replica
// remembers what was aborted.
void Scenario::Outcome(const Words& words) {
  const auto asked = homes_by_id_.find(Word(words, 1));
  Node& node = asked == homes_by_id_.end() ? stage_.front() : *asked->second;
  stage_.Engage(node);
  node.manager().FindOutcome(Word(words, 1), [this](Result<TransactionOutcome> outcome) {
    if (!outcome) {
      Say("outcome: " + Told(outcome.error()));
      return;
    }
    std::string text = fmt::format("outcome: {}", StateName(outcome->state));
    if (outcome->committed) {
      text += " by " + outcome->committed->actor;
    }
    if (outcome->aborted) {
      text += fmt::format(", {}", CodeName(outcome->aborted->code));
    }
    Say(std::move(text));
  });
}

}  // namespace quorate::txn
