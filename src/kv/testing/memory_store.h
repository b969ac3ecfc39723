// MemoryStore: a Store in memory that loses what was not synced when a test makes it crash.
//
// It keeps the durable image and every image since, one for each batch that no sync covers yet
// (they share their structure). Crash() goes back to one of them: the store afterwards holds a
// prefix of the batches, as the contract of kv::Store says. Snapshots are O(1).
//
// Safe from any thread. A test injects faults between calls, or while a sync waits in its hook.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "base/prng.h"
#include "kv/store.h"
#include "kv/testing/persistent_map.h"

namespace quorate::kv {

class MemoryStore final : public Store {
 public:
  MemoryStore() = default;

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override;
  std::unique_ptr<Iterator> NewIterator(Family family, std::string_view lower,
                                        std::string_view upper) const override;
  Status Write(WriteBatch batch, WriteOptions options) override;
  std::shared_ptr<const Snapshot> TakeSnapshot() const override;

  // Loses all unsynced batches but the first `keep_unsynced`; failures are over. Snapshots taken
  // before keep what they saw.
  void Crash(std::size_t keep_unsynced);
  // Keeps a random number of them.
  void Crash(Prng& prng);

  // The next write (or the next one with sync) fails with kInternal, and then every write until
  // Crash(). A write that fails takes no effect; of a failed sync it depends on the crash.
  void FailNextWrite();
  void FailNextSync();
  // Asked before each write, which fails as FailNextWrite() says unless the answer is true. Null:
  // none.
  void SetWriteGate(std::function<bool()> gate);
  // A write failed; every other one will, until Crash().
  bool broken() const;
  // While true, a write fails with kResourceExhausted, and then every write until Crash(). A crash
  // does not make room.
  void SetDiskFull(bool full);
  // Runs inside each sync, when the batch is visible and not yet durable; it may block. Null: none.
  void SetSyncHook(std::function<void()> hook);
  // Overwrites one value where it lies, synced or not, in every image: damage at rest.
  void Damage(Family family, std::string_view key, std::string value);

  std::uint64_t syncs() const;
  std::uint64_t writes() const;
  std::size_t unsynced() const;

 private:
  using Image = std::array<PersistentMap, kFamilies>;
  class MemoryIterator;
  class MemorySnapshot;

  static void ApplyChange(Image& image, WriteBatch::Change change);
  Image current() const;
  bool PassesGate() const;
  Status BeginWrite(bool sync, bool passes);

  mutable std::mutex mutex_;
  std::mutex sync_mutex_;        // Held over a sync, before mutex_: syncs run one at a time.
  std::deque<Image> images_{1};  // The durable one, then one for each unsynced batch.
  std::uint64_t dropped_ = 0;    // Images that were removed from the front; numbers stay stable.
  std::uint64_t crashes_ = 0;
  std::uint64_t syncs_ = 0;
  std::uint64_t writes_ = 0;
  bool fail_next_write_ = false;
  bool fail_next_sync_ = false;
  bool broken_ = false;
  bool full_ = false;
  std::function<void()> sync_hook_;
  std::function<bool()> write_gate_;
};

}  // namespace quorate::kv
