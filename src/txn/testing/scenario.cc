#include "txn/testing/scenario.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"
#include "txn/testing/audit.h"
#include "txn/testing/script_words.h"
#include "txn/testing/world.h"

namespace quorate::txn {

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

// log lead | depose | commit N|all | replace | fence | hold | release: in scripts with "mode
// scripted".
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
    } else if (what == "hold") {
      log.HoldReads();
    } else if (what == "release") {
      log.ReleaseReads();
    } else {
      Say("error: unknown log command");
    }
  });
}

}  // namespace quorate::txn
