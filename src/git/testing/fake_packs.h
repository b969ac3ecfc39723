// Packs without Git: a PackInstaller in memory that loses on Crash() what no Sync() covered, and
// quarantined packs made of nothing but a record. For tests of those who commit packs.
//
// For one thread. A FakePacks outlives the packs it made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "git/pack_installer.h"

namespace quorate::git {

class FakePacks final : public PackInstaller {
 public:
  // A checked pack with these bytes: inline, or to be stored beside the log.
  std::unique_ptr<QuarantinedPack> NewInline(std::string bytes);
  std::unique_ptr<QuarantinedPack> NewSideStored(std::string bytes);

  // kCorruption: the inline bytes do not have the record's digest, or a side-stored pack is neither
  // local nor persisted.
  Status Install(const PackRecord& record, std::unique_ptr<QuarantinedPack> local) override;

  // As ObjectStore's: persisted packs that are not named are gone for good.
  Status DropStagedExcept(const std::vector<Sha256Digest>& named);

  // What a transfer from another replica does with a side-stored pack before the entry that names
  // it is persisted here: the pack is staged and synced. One that a transaction of this
  // replica brought stays then, too, whatever becomes of the transaction.
  Status Receive(const PackRecord& record);
  bool Holds(const Sha256Digest& digest) const {
    return staged_.contains(digest) || installed_.contains(digest);
  }

  // Makes every installed pack survive Crash(): what a sync of the file system does.
  Status Sync();
  // Power loss: forgets what was installed since Sync() and the quarantines; persisted packs stay.
  void Crash();

  // The next call fails with this error, once.
  void FailNextInstall(Error error) { install_error_ = std::move(error); }
  void FailNextPersist(Error error) { persist_error_ = std::move(error); }
  // Those that have not happened yet will not.
  void EndFailures() { install_error_ = persist_error_ = std::nullopt; }
  // While true, Install() fails with kResourceExhausted.
  void SetDiskFull(bool full) { full_ = full; }
  // Asked before each operation that would change what is on disk: it fails, and nothing changes,
  // unless the answer is true. Null: none.
  void SetGate(std::function<bool()> gate) { gate_ = std::move(gate); }

  bool IsInstalled(std::string_view bytes) const { return installed_.contains(Sha256(bytes)); }
  bool IsPersisted(std::string_view bytes) const { return staged_.contains(Sha256(bytes)); }
  const std::set<Sha256Digest>& installed() const { return installed_; }
  // Persisted beside the log, and neither installed nor gone.
  std::size_t staged() const { return staged_.size(); }
  // Quarantines that exist: neither installed nor destroyed.
  int quarantined() const { return quarantined_; }

  // What happened, in order, a line each: "persist abc", "discard abc" (a persisted one, taken
  // back), "install abc", "install again abc", "redo abc" (without a local quarantine), "drop abc"
  // (a quarantine that was not installed). A pack goes by the first 16 of its bytes.
  const std::vector<std::string>& events() const { return events_; }
  std::vector<std::string> TakeEvents() { return std::exchange(events_, {}); }

 private:
  class Pack;

  std::unique_ptr<QuarantinedPack> New(std::string bytes, bool is_inline);
  Status AskGate() const;
  void Release(const Sha256Digest& digest);
  void Tell(std::string_view what, const Sha256Digest& digest);

  std::map<Sha256Digest, std::string> labels_;  // What the log calls a pack.
  std::set<Sha256Digest> installed_;
  std::set<Sha256Digest> durable_;  // The part of installed_ that survives.
  std::set<Sha256Digest> staged_;   // Persisted, side-stored, not yet installed.
  std::set<Sha256Digest> synced_;   // Ever persisted, and neither discarded nor dropped.
  std::set<Sha256Digest> named_;    // Staged, and perhaps named by an entry.
  std::multiset<Sha256Digest> holders_;
  std::optional<Error> install_error_;
  std::optional<Error> persist_error_;
  std::function<bool()> gate_;
  std::vector<std::string> events_;
  bool full_ = false;
  int quarantined_ = 0;
  int crashes_ = 0;  // Packs made before the last one are dead.
};

}  // namespace quorate::git
