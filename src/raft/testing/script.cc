#include "raft/testing/script.h"

#include <cstdint>
#include <map>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "consensus/message.h"
#include "raft/testing/cluster.h"

namespace quorate::raft {
namespace {

using Words = std::vector<std::string>;

constexpr PartitionId kPartition{7};
constexpr int kTurnsMax = 1000;

Words Split(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

std::string Number(std::uint64_t value) {
  return std::to_string(value);
}

std::string_view TypeName(std::uint32_t type) {
  switch (static_cast<consensus::MessageType>(type)) {
    case consensus::MessageType::kAppend:
      return "append";
    case consensus::MessageType::kAppendResponse:
      return "append-response";
    case consensus::MessageType::kRequestVote:
      return "vote";
    case consensus::MessageType::kRequestVoteResponse:
      return "vote-response";
    case consensus::MessageType::kRequestPreVote:
      return "pre-vote";
    case consensus::MessageType::kRequestPreVoteResponse:
      return "pre-vote-response";
    case consensus::MessageType::kHeartbeat:
      return "heartbeat";
    case consensus::MessageType::kHeartbeatResponse:
      return "heartbeat-response";
    case consensus::MessageType::kTimeoutNow:
      return "timeout-now";
    case consensus::MessageType::kTransferLeader:
      return "transfer-leader";
    case consensus::MessageType::kReadIndex:
      return "read-index";
    case consensus::MessageType::kReadIndexResponse:
      return "read-index-response";
    default:
      return "other";
  }
}

// A field of eraftpb.Message with a number in it. Small field numbers, any value.
void PutField(std::string& out, std::uint32_t field, std::uint64_t value) {
  out.push_back(static_cast<char>(field << 3));
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  }
  out.push_back(static_cast<char>(value));
}

std::string Heartbeat(ReplicaId to, ReplicaId from, Term term, Lsn commit) {
  std::string bytes;
  PutField(bytes, 1, static_cast<std::uint64_t>(consensus::MessageType::kHeartbeat));
  PutField(bytes, 2, to.value);
  PutField(bytes, 3, from.value);
  PutField(bytes, 4, term.value);
  PutField(bytes, 8, commit.value);
  return bytes;
}

class Runner final : public MachineObserver {
 public:
  Result<std::string> Run(std::string_view script);

  void OnCommitted(ReplicaId at, const consensus::Entry& entry) override {
    const bool change = entry.type != consensus::EntryType::kNormal;
    const std::string what = change ? "(change)" : entry.data.empty() ? "-" : entry.data;
    Event(at, "committed " + Number(entry.lsn.value) + "/" + Number(entry.term.value) + " " + what);
  }
  void OnLeading(ReplicaId at, Term term, Lsn no_op) override {
    Event(at, "leads term " + Number(term.value) + " from " + Number(no_op.value));
  }
  void OnFollowing(ReplicaId at, Term term, ReplicaId leader) override {
    Event(at, "follows " + Number(leader.value) + " in term " + Number(term.value));
  }
  void OnFenced(ReplicaId at, const Error& reason) override {
    Event(at, "fenced: " + std::string(CodeName(reason.code())));
  }

 private:
  using Command = Status (Runner::*)(const Words&);

  void Event(ReplicaId at, const std::string& text) { Line(Number(at.value) + ": " + text); }
  void Line(const std::string& text) { output_ += text + "\n"; }
  Status Execute(const std::string& line);
  Result<std::uint64_t> Argument(const Words& words, std::size_t index) const;
  Result<ReplicaId> Target(const Words& words, std::size_t index) const;
  Result<ReplicaId> Running(const Words& words) const;

  Status DoStart(const Words& words);
  Status DoCampaign(const Words& words);
  Status DoTick(const Words& words);
  Status DoAppend(const Words& words);
  Status DoRead(const Words& words);
  Status DoTransfer(const Words& words);
  Status DoResign(const Words& words);
  Status DoCompact(const Words& words);
  Status DoDeliver(const Words& words);
  Status DoMessages(const Words& words);
  Status DoCut(const Words& words);
  Status DoHeal(const Words& words);
  Status DoSlowDisk(const Words& words);
  Status DoFastDisk(const Words& words);
  Status DoCrash(const Words& words);
  Status DoRestart(const Words& words);
  Status DoLie(const Words& words);
  Status DoChange(const Words& words);
  Status DoMembers(const Words& words);
  Status DoPrint(const Words& words);
  Status DoState(const Words& words);

  std::unique_ptr<Cluster> cluster_;
  std::string output_;
};

Result<std::string> Runner::Run(std::string_view script) {
  std::istringstream in{std::string(script)};
  std::string result;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.front() == '#') {
      result += line + "\n";
      continue;
    }
    output_.clear();
    const Status executed = Execute(line);
    if (!executed && executed.error().code() == Code::kInvalidArgument) {
      return Error(Code::kInvalidArgument,
                   "line " + std::to_string(number) + ": " + executed.error().message());
    }
    if (!executed) {
      Line("error: " + std::string(CodeName(executed.error().code())));
    }
    result += line + "\n----\n" + output_ + "\n";
    while (std::getline(in, line) && !line.empty()) {  // What was expected.
      ++number;
    }
    ++number;
  }
  while (result.ends_with("\n\n")) {
    result.pop_back();
  }
  return result;
}

Status Runner::Execute(const std::string& line) {
  static const std::map<std::string, Command> kCommands = {{"start", &Runner::DoStart},
                                                           {"campaign", &Runner::DoCampaign},
                                                           {"tick", &Runner::DoTick},
                                                           {"append", &Runner::DoAppend},
                                                           {"read", &Runner::DoRead},
                                                           {"transfer", &Runner::DoTransfer},
                                                           {"resign", &Runner::DoResign},
                                                           {"compact", &Runner::DoCompact},
                                                           {"deliver", &Runner::DoDeliver},
                                                           {"messages", &Runner::DoMessages},
                                                           {"cut", &Runner::DoCut},
                                                           {"heal", &Runner::DoHeal},
                                                           {"slow-disk", &Runner::DoSlowDisk},
                                                           {"fast-disk", &Runner::DoFastDisk},
                                                           {"crash", &Runner::DoCrash},
                                                           {"restart", &Runner::DoRestart},
                                                           {"lie", &Runner::DoLie},
                                                           {"change", &Runner::DoChange},
                                                           {"members", &Runner::DoMembers},
                                                           {"print", &Runner::DoPrint},
                                                           {"state", &Runner::DoState}};
  const Words words = Split(line);
  const auto command = kCommands.find(words.front());
  if (command == kCommands.end()) {
    return Error(Code::kInvalidArgument, "unknown command " + words.front());
  }
  if (cluster_ == nullptr && words.front() != "start") {
    return Error(Code::kInvalidArgument, "start first");
  }
  return (this->*command->second)(words);
}

Result<std::uint64_t> Runner::Argument(const Words& words, std::size_t index) const {
  if (index >= words.size()) {
    return Error(Code::kInvalidArgument, words.front() + " needs more arguments");
  }
  if (words[index].find_first_not_of("0123456789") != std::string::npos) {
    return Error(Code::kInvalidArgument, words[index] + " is no number");
  }
  return std::stoull(words[index]);
}

Result<ReplicaId> Runner::Target(const Words& words, std::size_t index) const {
  const ReplicaId id{QUORATE_TRY(Argument(words, index))};
  for (const ReplicaId known : cluster_->ids()) {
    if (known == id) {
      return id;
    }
  }
  return Error(Code::kInvalidArgument, "no replica " + words[index]);
}

Result<ReplicaId> Runner::Running(const Words& words) const {
  const ReplicaId id = QUORATE_TRY(Target(words, 1));
  if (!cluster_->up(id)) {
    return Error(Code::kInvalidArgument, "replica " + words[1] + " is down");
  }
  return id;
}

Status Runner::DoStart(const Words& words) {
  ClusterOptions options;
  options.replicas = QUORATE_TRY(Argument(words, 1));
  cluster_ = std::make_unique<Cluster>(options, *this);
  for (const ReplicaId id : cluster_->ids()) {
    QUORATE_TRY(cluster_->Start(id));
  }
  cluster_->env().RunUntilIdle();
  return Ok();
}

Status Runner::DoCampaign(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  Status result;
  cluster_->Run(id, [&] { result = cluster_->replica(id)->Campaign(); });
  return result;
}

Status Runner::DoTick(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  const std::uint64_t count = words.size() > 2 ? QUORATE_TRY(Argument(words, 2)) : 1;
  for (std::uint64_t i = 0; i < count; ++i) {
    cluster_->Run(id, [&] { cluster_->replica(id)->Tick(); });
  }
  return Ok();
}

Status Runner::DoAppend(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  cluster_->Run(id, [&] {
    for (std::size_t i = 2; i < words.size(); ++i) {
      const Result<Position> position = cluster_->replica(id)->Append(words[i]);
      if (position) {
        Event(id, "appended " + Number(position->lsn.value) + "/" + Number(position->term.value) +
                      " " + words[i]);
      } else {
        const Error& error = position.error();
        Event(id, "refused " + words[i] + ": " +
                      (error.code() == Code::kNotLeader ? error.message()
                                                        : std::string(CodeName(error.code()))));
      }
    }
  });
  return Ok();
}

Status Runner::DoRead(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  cluster_->Run(id, [&] {
    cluster_->replica(id)->ReadBarrier([this, id](Result<Lsn> lsn) {
      Event(id, lsn ? "may read at " + Number(lsn->value)
                    : "may not read: " + std::string(CodeName(lsn.error().code())));
    });
  });
  return Ok();
}

Status Runner::DoTransfer(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  const ReplicaId to = QUORATE_TRY(Target(words, 2));
  Status result;
  cluster_->Run(id, [&] { result = cluster_->replica(id)->TransferLeadership(to); });
  return result;
}

Status Runner::DoResign(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  cluster_->Run(id, [&] { cluster_->replica(id)->Resign(); });
  return Ok();
}

Status Runner::DoCompact(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  const Lsn lsn{QUORATE_TRY(Argument(words, 2))};
  cluster_->Run(id, [&] { cluster_->replica(id)->Compact(lsn); });
  Event(id, "log begins at " + Number(cluster_->StatusOf(id).first.value));
  return Ok();
}

Status Runner::DoDeliver(const Words& words) {
  const bool counted = words.size() > 1;
  std::uint64_t turns = counted ? QUORATE_TRY(Argument(words, 1)) : kTurnsMax;
  for (; turns > 0 && !cluster_->network().empty(); --turns) {
    cluster_->network().Turn();
    cluster_->env().RunUntilIdle();
  }
  if (!counted && !cluster_->network().empty()) {
    Line("the network does not come to rest");
  }
  return Ok();
}

Status Runner::DoMessages(const Words& /*words*/) {
  for (const Message& message : cluster_->network().Pending()) {
    const auto header = consensus::PeekMessage(message.bytes);
    Line(Number(message.from.value) + ">" + Number(message.to.value) + " " +
         (header ? std::string(TypeName(header->type)) + " term " + Number(header->term.value)
                 : "unreadable"));
  }
  return Ok();
}

Status Runner::DoCut(const Words& words) {
  const ReplicaId from = QUORATE_TRY(Target(words, 1));
  cluster_->network().Cut(from, QUORATE_TRY(Target(words, 2)));
  return Ok();
}

Status Runner::DoHeal(const Words& /*words*/) {
  cluster_->network().Heal();
  return Ok();
}

Status Runner::DoSlowDisk(const Words& words) {
  cluster_->disk(QUORATE_TRY(Running(words))).Shut();
  return Ok();
}

Status Runner::DoFastDisk(const Words& words) {
  cluster_->disk(QUORATE_TRY(Running(words))).Open();
  cluster_->env().RunUntilIdle();
  return Ok();
}

Status Runner::DoCrash(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  const std::uint64_t keep = words.size() > 2 ? QUORATE_TRY(Argument(words, 3)) : 0;
  cluster_->Crash(id, static_cast<std::size_t>(keep));
  return Ok();
}

Status Runner::DoRestart(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Target(words, 1));
  QUORATE_TRY(cluster_->Start(id));
  cluster_->env().RunUntilIdle();
  return Ok();
}

Status Runner::DoLie(const Words& words) {
  const ReplicaId to = QUORATE_TRY(Running(words));
  const ReplicaId from = QUORATE_TRY(Target(words, 2));
  const Lsn commit{QUORATE_TRY(Argument(words, 3))};
  const Term term = cluster_->StatusOf(to).term;
  cluster_->Run(to, [&] {
    cluster_->replica(to)->Step({.partition = kPartition,
                                 .from = from,
                                 .to = to,
                                 .bytes = Heartbeat(to, from, term, commit),
                                 .is_checkpoint = false});
  });
  return Ok();
}

Status Runner::DoChange(const Words& words) {
  const ReplicaId id = QUORATE_TRY(Running(words));
  const ReplicaId member = QUORATE_TRY(Target(words, 2));
  if (words.size() != 4 || (words[3] != "voter" && words[3] != "learner")) {
    return Error(Code::kInvalidArgument, "change needs: R MEMBER voter|learner");
  }
  const auto kind = words[3] == "voter" ? consensus::ConfChangeKind::kAddVoter
                                        : consensus::ConfChangeKind::kAddLearner;
  Result<Position> position = Position{};
  cluster_->Run(id, [&] {
    position = cluster_->replica(id)->ProposeConfChange(
        {.changes = {{.kind = kind, .replica = member}}, .context = {}});
  });
  return position ? Ok() : position.error();
}

Status Runner::DoMembers(const Words& /*words*/) {
  for (const ReplicaId id : cluster_->ids()) {
    if (!cluster_->up(id)) {
      continue;
    }
    const log::LogStatus status = cluster_->StatusOf(id);
    std::string text = "voters";
    for (const ReplicaId voter : status.voters) {
      text += " " + Number(voter.value);
    }
    text += ", learners";
    for (const ReplicaId learner : status.learners) {
      text += " " + Number(learner.value);
    }
    Event(id, text);
  }
  return Ok();
}

Status Runner::DoPrint(const Words& /*words*/) {
  for (const ReplicaId id : cluster_->ids()) {
    if (!cluster_->up(id)) {
      Event(id, "down");
      continue;
    }
    const log::LogStatus status = cluster_->StatusOf(id);
    Event(id, std::string(status.leading ? "leads" : "follows " + Number(status.leader.value)) +
                  ", term " + Number(status.term.value) + ", last " + Number(status.last.value) +
                  ", durable " + Number(status.durable.value) + ", committed " +
                  Number(status.committed.value) + ", applied " + Number(status.applied.value));
  }
  return Ok();
}

Status Runner::DoState(const Words& /*words*/) {
  for (const ReplicaId id : cluster_->ids()) {
    if (!cluster_->up(id)) {
      continue;
    }
    std::string state;
    for (const auto& [lsn, data] : cluster_->machine(id).state()) {
      state += data.empty() ? "" : " " + data;
    }
    Line(Number(id.value) + ":" + state);
  }
  return Ok();
}

}  // namespace

Result<std::string> RunScript(std::string_view script) {
  Runner runner;
  return runner.Run(script);
}

}  // namespace quorate::raft
