// Whole groups under a hostile network, hostile disks and impatient operators, one seed deciding
// everything. A chaos phase is followed by healing, after which the group must be whole again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "consensus/testing/checker.h"
#include "consensus/testing/model_replica.h"

namespace quorate::consensus::testing {

// Each is a rule that the reference forbids to break; the checker must notice.
struct Mistakes {
  HostMistakes host;
  UnsafeOptions engine;
  bool bootstrap_at_zero = false;
  bool snapshots_not_reported = false;
  bool same_read_context = false;
};

struct FuzzOptions {
  std::uint64_t seed = 1;
  std::uint64_t replicas = 3;  // Beyond three, members come and go; three found the group.
  int chaos_turns = 500;
  int heal_turns = 350;
  bool announce_commits = true;
  Mistakes mistakes = {};
};

struct FuzzReport {
  std::optional<std::string> violation;
  std::uint64_t digest = 0;  // Over every byte of every message.
  std::uint64_t proposed = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t crashes = 0;
  std::uint64_t installs = 0;
  std::uint64_t conf_changes = 0;
  std::uint64_t reads = 0;
  std::uint64_t transfers = 0;
  std::uint64_t dropped = 0;

  std::string ToString() const;
};

class FuzzWorld {
 public:
  explicit FuzzWorld(const FuzzOptions& options);

  FuzzReport Run();

 private:
  using Pair = std::pair<std::uint64_t, std::uint64_t>;  // From, to.

  ModelReplica& at(std::uint64_t id) { return *replicas_.at(id); }
  ModelReplica& AnyReplica();
  ModelReplica* Leader();
  bool Stopped() const { return checker_.violation().has_value(); }

  void AddReplica(std::uint64_t id);
  void Turn(bool chaos);
  void Quiesce(int turns);

  // Network.
  void Post(Envelope envelope);
  void Deliver();
  void DeliverOne(const Envelope& envelope);
  void ReportSnapshot(const Envelope& envelope, bool failed);

  // Host.
  void RunReplica(ModelReplica& replica, bool chaos);
  void ServeReads(ModelReplica& replica);

  // Clients and operators.
  void Propose();
  void AskRead();
  void ChangeMembers();
  void Transfer();

  // Nemesis.
  void CrashSome();
  void RestartSome();
  void CutSome();

  // The end.
  void Heal();
  void LeaveJoint();
  void CheckHealed();

  const FuzzOptions options_;
  Prng prng_;
  Checker checker_;
  FuzzReport report_;
  std::map<std::uint64_t, std::unique_ptr<ModelReplica>> replicas_;
  std::map<std::uint64_t, std::vector<Envelope>> network_;  // By turn of arrival.
  std::vector<Envelope> lost_snapshots_;  // To be reported at the end of the turn.
  std::set<Pair> cuts_;
  std::uint64_t now_ = 0;
  std::uint64_t commands_ = 0;
  std::uint64_t reads_asked_ = 0;
  bool proposing_ = true;
};

FuzzReport RunFuzz(const FuzzOptions& options);

}  // namespace quorate::consensus::testing
