// Runs one script of the transaction suite (test/scenarios/README.md) on one stage: over a log of
// some mode, or a group of replicas.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "txn/testing/pack_journal.h"
#include "txn/testing/script.h"
#include "txn/testing/scripted_log.h"
#include "txn/testing/stage.h"

namespace quorate::txn {

class Scenario {
 public:
  // Plays this script. `scripted` is null unless the script drives the log, then `stage` is a World
  // over it. Both outlive it.
  Scenario(const Script& script, Stage& stage, ScriptedMode* scripted);
  ~Scenario();

  // What the script's next command prints, each line ended. An unknown or broken command prints
  // "error: ...".
  std::string Run(const std::string& command);

  // To be called once, behind the last command. Ends what the script left open: transactions are
  // dropped, a node that is closing is closed, and what a scripted log holds is committed. Then a
  // line for everything that is wrong (txn/testing/audit.h); nothing if all is well, if the script
  // damaged what is stored, or if it fenced or stopped a scripted log.
  std::vector<std::string> Finish();

 private:
  using Words = std::vector<std::string>;
  using Command = void (Scenario::*)(const Words&);

  static const std::map<std::string, Command, std::less<>>& commands();

  void Open(const Words& words);
  void Create(const Words& words);
  void Crash(const Words& words);
  void Stop(const Words& words);
  void Closing(const Words& words);
  void Settle(const Words& words);
  void Until(const Words& words);
  void Begin(const Words& words);
  void Reference(const Words& words);
  void Head(const Words& words);
  void Verify(const Words& words);
  void Config(const Words& words);
  void Find(const Words& words);
  void Each(const Words& words);
  void Key(const Words& words);
  void Pack(const Words& words);
  void Repository(const Words& words);
  void DeclareRead(const Words& words);
  void Commit(const Words& words);
  void Abort(const Words& words);
  void Cancel(const Words& words);
  void GiveUp(const Words& words);
  void State(const Words& words);
  void View(const Words& words);
  void History(const Words& words);
  void Packs(const Words& words);
  void Status(const Words& words);
  void Read(const Words& words);
  void Outcome(const Words& words);
  void Sync(const Words& words);
  void Fail(const Words& words);
  void Damage(const Words& words);
  void Log(const Words& words);

  // A transaction that was begun, and where.
  struct OpenTransaction {
    Node* home;
    Transaction transaction;
  };

  OpenTransaction& opened(const std::string& name);
  Transaction& transaction(const std::string& name) { return opened(name).transaction; }
  TransactionManager::PendingCommit& commit(const std::string& name);
  Node& NextHome(bool far);
  void RunOnStrand(env::Task task);  // The front's, and what follows from it.
  void Say(std::string line);
  void SayUnlessOk(const Result<void>& status);
  void PrintRefs(const Snapshot& snapshot);
  std::string Told(const Error& error) const;
  std::string Told(const LifeCycleError& error) const;
  std::string Told(const Conflict& conflict) const;
  std::string Told(const std::optional<Conflict::Winner>& winner) const;
  std::string ValueText(const std::optional<RefValue>& value) const;

  ScriptedMode* const scripted_;
  Stage& stage_;
  const std::vector<int> homes_;  // Of each "begin": transactions of one number share a home.
  std::size_t begun_ = 0;
  std::map<int, Node*> chosen_;                  // Homes, by these numbers.
  std::map<std::string, OpenTransaction> open_;  // With those that ended, which say so.
  std::map<std::string, TransactionManager::PendingCommit> commits_;  // The last of each name.
  Stage::Nodes story_;                                                // Where anything happened.
  std::map<std::string, Node*> homes_by_id_;  // Of transactions that clients named.
  PackJournal packs_;
  std::map<std::string, int> answers_;        // How often each commit was answered.
  std::map<std::string, std::string> names_;  // By transaction id.
  std::map<std::string, Lsn> lsns_;           // Of what was acknowledged, by transaction id.
  bool closing_ = false;
  bool damaged_ = false;  // By "damage": what is stored is not what was logged.
  std::string output_;
};

}  // namespace quorate::txn
