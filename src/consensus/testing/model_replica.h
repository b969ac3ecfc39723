// A whole replica around RawNode, for tests: the ready loop as src/consensus/README.md wants it,
// over a disk where a crash keeps a prefix of what was written and not yet synced.
//
// One thread; nothing happens unless a test calls for it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "consensus/raw_node.h"
#include "consensus/testing/model_disk.h"
#include "consensus/unsafe_options.h"

namespace quorate::consensus::testing {

struct Envelope {
  ReplicaId from;
  OutgoingMessage message;
};
using Send = std::function<void(Envelope)>;

// Rules of the ready loop to break, each on its own, to see a checker notice.
struct HostMistakes {
  bool send_before_persist = false;  // Messages that wait for the sync do not wait.
  bool hard_state_apart = false;  // The hard state has its own file, which reaches the disk first.
  bool skip_sync = false;         // "Synced" writes linger in a cache that a crash empties.
};

class ModelReplica {
 public:
  // Called for every entry applied, and with the configuration behind it.
  using OnApply = std::function<void(const ModelReplica&, const Entry&)>;

  ModelReplica(ReplicaId id, ModelDisk disk);

  // Opens the node over what survived. False: the replica is fenced, see why().
  bool Start();
  // Power off: the oldest `keep` of the unsynced writes make it to the disk.
  void Crash(std::size_t keep);

  // Takes all readies: sends what may be sent at once, writes, queues what is committed.
  void Pump(const Send& send);
  // The `count` oldest writes become durable; what waited for them is sent.
  void Sync(std::size_t count, const Send& send);
  // Applies up to `count` committed entries.
  void Apply(std::size_t count);
  // Makes applied LSN, state and configuration durable, if nothing is in flight.
  void SaveState();
  // Compacts the log up to `keep` entries below the durable applied LSN, if nothing is in flight.
  void Compact(std::uint64_t keep);

  // Notes the fence if `status` says so. Returns whether the replica is alive.
  bool Alive(const Status& status);

  ReplicaId id() const { return id_; }
  bool up() const { return node_.has_value() && !fenced_; }
  bool fenced() const { return fenced_; }
  const std::string& why() const { return why_; }
  RawNode& node() { return *node_; }
  NodeStatus status() const { return up() ? node_->status() : NodeStatus{}; }
  std::size_t unsynced() const { return pending_.size(); }
  const ModelDisk& disk() const { return written_; }  // As written, synced or not.
  ModelDisk& durable() { return durable_; }
  std::uint64_t digest() const { return digest_; }  // Over all messages sent.
  std::uint64_t installs() const { return installs_; }

  RawNodeOptions options;
  UnsafeOptions unsafe;
  HostMistakes mistakes;
  OnApply on_apply;
  std::vector<ReadState> reads;  // Answered; the test serves them.
  ModelStorage storage;

 private:
  struct Write {
    std::uint64_t number = 0;
    std::optional<Checkpoint> checkpoint;
    std::vector<Entry> entries;
    std::optional<HardState> hard_state;
    std::vector<Envelope> after;

    void ApplyTo(ModelDisk& disk) const;
  };

  void Take(Ready ready, const Send& send);
  bool ApplyOne(const Entry& entry);
  Envelope Seal(OutgoingMessage message);

  const ReplicaId id_;
  ModelDisk durable_;
  ModelDisk written_;
  std::optional<RawNode> node_;
  std::deque<Write> pending_;  // Written, not synced.
  std::deque<Write> lost_;     // With skip_sync: claimed to be synced.
  std::deque<Entry> to_apply_;
  bool fenced_ = false;
  std::string why_;
  std::uint64_t digest_ = 14695981039346656037ULL;
  std::uint64_t installs_ = 0;
};

// Small limits and short timeouts.
RawNodeOptions TestOptions(ReplicaId id);

}  // namespace quorate::consensus::testing
