#include "txn/testing/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"
#include "txn/testing/audit.h"
#include "txn/testing/world.h"

namespace quorate::txn {
namespace {

// Thrown by what reads a command, caught by Scenario::Run(): a script's mistake ends that command.
struct ScriptError {
  std::string what;
};

const std::string& Word(const std::vector<std::string>& words, std::size_t index) {
  if (index >= words.size()) {
    throw ScriptError{"a word is missing"};
  }
  return words[index];
}

bool Has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// The value of a word "name=value".
std::optional<std::string> Option(const std::vector<std::string>& words, std::string_view name) {
  for (const std::string& word : words) {
    if (word.starts_with(name) && word.size() > name.size() && word[name.size()] == '=') {
      return word.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

RepositoryId RepositoryOf(const std::vector<std::string>& words) {
  return RepositoryId{std::stoull(Option(words, "repo").value_or("1"))};
}

// "main" is refs/heads/main.
std::string FullName(const std::string& name) {
  return name.starts_with("refs") ? name : "refs/heads/" + name;
}

// "A": the object of that letter; "@main": symbolic; "none".
std::optional<RefValue> ParseValue(const std::string& text) {
  if (text == "none") {
    return std::nullopt;
  }
  if (text.starts_with('@')) {
    RefValue value;
    value.symref = FullName(text.substr(1));
    return value;
  }
  if (text.size() != 1) {
    throw ScriptError{"'" + text + "' is not a value"};
  }
  return ValueOf(text[0]);
}

// "old->new"; "?" as old is no expectation.
std::pair<std::optional<std::string>, std::string> ParseMove(const std::string& text) {
  const std::size_t arrow = text.find("->");
  if (arrow == std::string::npos) {
    throw ScriptError{"'" + text + "' is not old->new"};
  }
  std::optional<std::string> before = text.substr(0, arrow);
  if (before == "?") {
    before.reset();
  }
  return {before, text.substr(arrow + 2)};
}

std::optional<std::string> KeyValue(const std::string& text) {
  return text == "none" ? std::nullopt : std::optional(text);
}

}  // namespace

Scenario::Scenario(const Script& script, Stage& stage, ScriptedMode* scripted)
    : scripted_(scripted), stage_(stage), homes_(PlanHomes(script)), packs_(stage) {
}

Scenario::~Scenario() = default;

const std::map<std::string, Scenario::Command, std::less<>>& Scenario::commands() {
  static const std::map<std::string, Command, std::less<>> all = {
      {"open", &Scenario::Open},       {"create", &Scenario::Create},
      {"crash", &Scenario::Crash},     {"stop", &Scenario::Stop},
      {"run", &Scenario::Settle},      {"closing", &Scenario::Closing},
      {"until", &Scenario::Until},     {"begin", &Scenario::Begin},
      {"ref", &Scenario::Reference},   {"head", &Scenario::Head},
      {"verify", &Scenario::Verify},   {"find", &Scenario::Find},
      {"config", &Scenario::Config},   {"each", &Scenario::Each},
      {"key", &Scenario::Key},         {"pack", &Scenario::Pack},
      {"repo", &Scenario::Repository}, {"reads", &Scenario::DeclareRead},
      {"commit", &Scenario::Commit},   {"abort", &Scenario::Abort},
      {"cancel", &Scenario::Cancel},   {"giveup", &Scenario::GiveUp},
      {"state", &Scenario::State},     {"view", &Scenario::View},
      {"history", &Scenario::History}, {"packs", &Scenario::Packs},
      {"status", &Scenario::Status},   {"read", &Scenario::Read},
      {"sync", &Scenario::Sync},       {"fail", &Scenario::Fail},
      {"damage", &Scenario::Damage},   {"log", &Scenario::Log},
      {"outcome", &Scenario::Outcome},
  };
  return all;
}

std::string Scenario::Run(const std::string& command) {
  const Words words = SplitWords(command);
  const auto at = commands().find(words[0]);
  output_.clear();
  if (at == commands().end()) {
    return "error: unknown command\n";
  }
  stage_.Pause();
  try {
    (this->*at->second)(words);
  } catch (const ScriptError& error) {
    Say("error: " + error.what);
  }
  packs_.Note();
  return output_;
}

std::vector<std::string> Scenario::Finish() {
  open_.clear();
  if (stage_.front().is_open()) {
    stage_.Run();
  }
  if (closing_ && stage_.front().is_open()) {
    stage_.Stop();
  }
  if (damaged_) {
    return {};
  }
  if (scripted_ == nullptr) {
    return Audit(stage_);
  }
  Node& node = stage_.front();
  if (!node.is_open() || node.manager().status().fenced) {
    return {};
  }
  RunOnStrand([this] { scripted_->log().Commit(scripted_->log().uncommitted()); });
  return Audit(stage_, &scripted_->log().delivered());
}

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

Scenario::OpenTransaction& Scenario::opened(const std::string& name) {
  const auto at = open_.find(name);
  if (at == open_.end()) {
    throw ScriptError{"no transaction " + name};
  }
  return at->second;
}

Node& Scenario::NextHome(bool far) {
  const int home = homes_[begun_++];
  const auto at = chosen_.find(home);
  return *(at != chosen_.end() ? at : chosen_.emplace(home, &stage_.ChooseHome(far)).first)->second;
}

void Scenario::RunOnStrand(env::Task task) {
  stage_.front().process().strand().Post(std::move(task));
  stage_.Run();
}

void Scenario::Open(const Words&) {
  closing_ = false;
  SayUnlessOk(stage_.Open());
  for (std::string& event : packs_.Take()) {
    Say(std::move(event));
  }
}

void Scenario::Create(const Words& words) {
  Node& home = stage_.front();
  stage_.Engage(home);
  Transaction create =
      home.manager().Begin({.actor = "maker", .push_options = {}, .id = {}}).value();
  names_[create.id().bytes] = "create";
  SayUnlessOk(create.StageRepositoryCreate(RepositoryOf(words), git::ObjectFormat::kSha1,
                                           "refs/heads/main"));
  home.manager().Commit(std::move(create), [this](Result<CommitOutcome> outcome) {
    if (!outcome) {
      Say(Told(outcome.error()));
    }
  });
  if (scripted_ != nullptr) {
    RunOnStrand([this] { scripted_->log().Commit(scripted_->log().uncommitted()); });
  }
  stage_.Run();
}

// crash [keep=N|all]: how many unsynced batches survive; none by default.
void Scenario::Crash(const Words& words) {
  const std::string keep = Option(words, "keep").value_or("0");
  story_.merge(packs_.homes());
  stage_.Crash(
      [&keep](std::size_t unsynced) { return keep == "all" ? unsynced : std::stoull(keep); },
      story_);
  open_.clear();  // A process that dies aborts nothing.
}

void Scenario::Stop(const Words&) {
  open_.clear();
  stage_.Stop();
  Say("stopped");
}

// closing: as "stop", but the script goes on while things are under way.
void Scenario::Closing(const Words&) {
  closing_ = true;
  stage_.BeginStop([this] { Say("stopped"); });
}

void Scenario::Settle(const Words&) {
  stage_.Run();
}

// until T: runs task by task until T is answered; nothing that follows from the answer happens.
// until written: until something more is on disk.
void Scenario::Until(const Words& words) {
  const std::string& name = Word(words, 1);
  const std::function<bool()> written = stage_.WatchWrites();
  while (name == "written" ? !written() : !answers_.contains(name)) {
    if (!stage_.RunOne()) {
      throw ScriptError{"nothing is left to run"};
    }
  }
}

// begin T [serializable] [partial] [far] [actor=A] [id=16-characters] [option=O]
void Scenario::Begin(const Words& words) {
  TransactionOptions options;
  options.isolation = Has(words, "serializable") ? Isolation::kSerializable : Isolation::kSnapshot;
  options.all_or_nothing = !Has(words, "partial");
  options.actor = Option(words, "actor").value_or("someone");
  options.id = Option(words, "id").value_or("");
  if (const auto option = Option(words, "option")) {
    options.push_options.push_back(*option);
  }
  Node& home = NextHome(Has(words, "far"));
  story_.insert(&home);
  homes_by_id_[options.id] = &home;
  Result<Transaction> begun = home.manager().Begin(std::move(options));
  if (!begun) {
    Say(Told(begun.error()));
    return;
  }
  open_.erase(Word(words, 1));
  names_[begun->id().bytes] = Word(words, 1);
  open_.emplace(Word(words, 1), OpenTransaction{.home = &home, .transaction = *std::move(begun)});
  answers_.erase(Word(words, 1));
}

// ref T NAME OLD->NEW [repo=N]
void Scenario::Reference(const Words& words) {
  const auto [before, after] = ParseMove(Word(words, 3));
  RefUpdate update{.repository = RepositoryOf(words),
                   .name = FullName(Word(words, 2)),
                   .expected = {},
                   .value = ParseValue(after)};
  if (before) {
    update.expected.emplace();
    update.expected->value = ParseValue(*before);
  }
  SayUnlessOk(transaction(Word(words, 1)).StageRef(std::move(update)));
}

// head T VALUE | OLD->NEW [repo=N]
void Scenario::Head(const Words& words) {
  std::string value = Word(words, 2);
  std::optional<RefValue> expected;
  if (value.find("->") != std::string::npos) {
    const auto [before, after] = ParseMove(value);
    value = after;
    expected = before ? ParseValue(*before) : std::nullopt;
  }
  SayUnlessOk(transaction(Word(words, 1))
                  .StageHead(RepositoryOf(words), ParseValue(value).value(), std::move(expected)));
}

// verify T NAME VALUE [repo=N]
void Scenario::Verify(const Words& words) {
  const std::string& name = Word(words, 2);
  SayUnlessOk(transaction(Word(words, 1))
                  .VerifyRef(RepositoryOf(words), name == "HEAD" ? name : FullName(name),
                             ParseValue(Word(words, 3))));
}

// key T KEY OLD->NEW
void Scenario::Key(const Words& words) {
  const auto [before, after] = ParseMove(Word(words, 3));
  std::optional<std::optional<std::string>> expected;
  if (before) {
    expected = KeyValue(*before);
  }
  SayUnlessOk(
      transaction(Word(words, 1)).StageKey(Word(words, 2), std::move(expected), KeyValue(after)));
}

// config T NAME OLD->NEW [repo=N]: values with commas between them.
void Scenario::Config(const Words& words) {
  const auto [before, after] = ParseMove(Word(words, 3));
  const auto values = [](const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in(text == "none" ? "" : text);
    for (std::string value; std::getline(in, value, ',');) {
      all.push_back(value);
    }
    return all;
  };
  SayUnlessOk(transaction(Word(words, 1))
                  .StageConfig(RepositoryOf(words), Word(words, 2),
                               before ? std::optional(values(*before)) : std::nullopt,
                               values(after)));
}

// find T ref NAME|HEAD | config NAME | key KEY [repo=N]: what T sees, itself included; declares the
// read.
void Scenario::Find(const Words& words) {
  Transaction& reader = transaction(Word(words, 1));
  const std::string& name = Word(words, 3);
  if (Word(words, 2) == "key") {
    const auto found = reader.FindKey(name);
    Say(found ? found->value_or("none") : Told(found.error()));
    return;
  }
  if (Word(words, 2) == "config") {
    const auto values = reader.FindConfig(RepositoryOf(words), name);
    Say(!values           ? Told(values.error())
        : values->empty() ? "none"
                          : fmt::format("{}", fmt::join(*values, ",")));
    return;
  }
  const auto found = name == "HEAD" ? reader.FindHead(RepositoryOf(words))
                                    : reader.FindRef(RepositoryOf(words), FullName(name));
  Say(found ? ValueText(*found) : Told(found.error()));
}

// each T ref|config|key [PREFIX] [repo=N] [first=N]: likewise, of all whose name begins with
// PREFIX, or of the first N.
void Scenario::Each(const Words& words) {
  Transaction& reader = transaction(Word(words, 1));
  const bool prefixed = words.size() > 3 && words[3].find('=') == std::string::npos;
  std::uint64_t left = std::stoull(Option(words, "first").value_or("1000"));
  if (Word(words, 2) == "key") {
    SayUnlessOk(reader.ForEachKey(prefixed ? words[3] : "",
                                  [&](std::string_view key, std::string_view value) {
                                    Say(fmt::format("{} = {}", key, value));
                                    return --left > 0;
                                  }));
    return;
  }
  if (Word(words, 2) == "config") {
    SayUnlessOk(reader.ForEachConfig(
        RepositoryOf(words), prefixed ? words[3] : "", [&](const git::ConfigEntry& entry) {
          Say(fmt::format("{} = {}", entry.name, fmt::join(entry.values, ",")));
          return --left > 0;
        }));
    return;
  }
  SayUnlessOk(reader.ForEachRef(RepositoryOf(words), prefixed ? FullName(words[3]) : "",
                                [&](const Ref& ref) {
                                  Say(ref.name + " " + ValueText(ref.value));
                                  return --left > 0;
                                }));
}

// pack T inline|side BYTES [repo=N]
void Scenario::Pack(const Words& words) {
  OpenTransaction& open = opened(Word(words, 1));
  packs_.Came(Word(words, 3), *open.home);
  auto pack = Word(words, 2) == "inline" ? open.home->packs.NewInline(Word(words, 3))
                                         : open.home->packs.NewSideStored(Word(words, 3));
  SayUnlessOk(pack->Persist());
  SayUnlessOk(open.transaction.StagePack(RepositoryOf(words), std::move(pack)));
}

// repo T create|delete N
void Scenario::Repository(const Words& words) {
  const RepositoryId id{std::stoull(Word(words, 3))};
  SayUnlessOk(Word(words, 2) == "create"
                  ? transaction(Word(words, 1))
                        .StageRepositoryCreate(id, git::ObjectFormat::kSha1, "refs/heads/main")
                  : transaction(Word(words, 1)).StageRepositoryDelete(id));
}

// reads T ref NAME | prefix NAME | key KEY
void Scenario::DeclareRead(const Words& words) {
  Transaction& reader = transaction(Word(words, 1));
  const std::string& what = Word(words, 2);
  if (what == "ref") {
    SayUnlessOk(reader.DeclareRefRead(
        RepositoryOf(words), Word(words, 3) == "HEAD" ? "HEAD" : FullName(Word(words, 3))));
  } else if (what == "keys") {
    SayUnlessOk(reader.DeclareKeyPrefixRead(Word(words, 3)));
  } else if (what == "prefix") {
    SayUnlessOk(reader.DeclareRefPrefixRead(RepositoryOf(words), FullName(Word(words, 3))));
  } else {
    SayUnlessOk(reader.DeclareKeyRead(Word(words, 3)));
  }
}

// commit T...: hands them in, in this order; answers come with "run".
void Scenario::Commit(const Words& words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string name = words[i];
    auto& [home, committed] = opened(name);
    stage_.Engage(*home);
    answers_.erase(name);
    const std::string id = committed.id().bytes;
    auto done = [this, name, id](Result<CommitOutcome> outcome) {
      std::string text = name + ": ";
      if (!outcome) {
        text += Told(outcome.error());
      } else {
        lsns_[id] = outcome->lsn;
        text += outcome->lsn.value == 0 ? "unchanged" : "committed";
        for (std::size_t n = 0; n < outcome->refs.size(); ++n) {
          const std::optional<Conflict>& conflict = outcome->refs[n];
          text += conflict ? fmt::format("; not #{}: {}", n + 1, Told(*conflict)) : "";
        }
      }
      if (++answers_[name] > 1) {
        text += " (answered again)";
      }
      Say(std::move(text));
    };
    commits_.insert_or_assign(name, home->manager().Commit(std::move(committed), std::move(done)));
  }
}

void Scenario::Abort(const Words& words) {
  SayUnlessOk(transaction(Word(words, 1)).Abort());
}

// cancel T: whoever waits for T's commit wants it no more.
void Scenario::Cancel(const Words& words) {
  commit(Word(words, 1)).Cancel();
}

// giveup T: whoever waits for T's commit waits no longer.
void Scenario::GiveUp(const Words& words) {
  commit(Word(words, 1)).GiveUp();
}

TransactionManager::PendingCommit& Scenario::commit(const std::string& name) {
  const auto at = commits_.find(name);
  if (at == commits_.end()) {
    throw ScriptError{"no commit of " + name};
  }
  return at->second;
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

void Scenario::Sync(const Words&) {
  for (Node* node : stage_.nodes()) {
    if (node->is_open()) {
      SayUnlessOk(node->manager().SyncObjects());
    }
  }
  stage_.Run();
}

// fail install corruption|full: the next installation of a pack, everywhere.
void Scenario::Fail(const Words& words) {
  for (Node* node : stage_.nodes()) {
    node->packs.FailNextInstall(Error(
        Word(words, 2) == "corruption" ? Code::kCorruption : Code::kResourceExhausted, "as told"));
  }
}

// damage NAME VALUE: the reference's value changes where it is stored.
void Scenario::Damage(const Words& words) {
  damaged_ = true;
  for (Node* node : stage_.nodes()) {
    node->disk().Damage(
        kv::Family::kState,
        internal::RefKey(Node::kPartition, RepositoryOf(words), FullName(Word(words, 1))),
        internal::EncodeRefValue(ParseValue(Word(words, 2)).value()));
  }
}

// log lead | depose | commit N|all | replace | fence: in scripts with "mode scripted".
void Scenario::Log(const Words& words) {
  if (scripted_ == nullptr) {
    throw ScriptError{"this mode is not scripted"};
  }
  stage_.Run();
  RunOnStrand([this, words] {
    ScriptedLog& log = scripted_->log();
    const std::string& what = words.at(1);
    if (what == "lead") {
      log.Lead();
    } else if (what == "depose") {
      log.Depose();
    } else if (what == "commit") {
      log.Commit(words.at(2) == "all" ? log.uncommitted() : std::stoull(words.at(2)));
    } else if (what == "replace") {
      log.Replace("");
    } else if (what == "fence") {
      log.Fence(Error(Code::kCorruption, "as told"));
    } else {
      Say("error: unknown log command");
    }
  });
}

}  // namespace quorate::txn
