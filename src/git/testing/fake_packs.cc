#include "git/testing/fake_packs.h"

#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::git {

class FakePacks::Pack final : public QuarantinedPack {
 public:
  Pack(FakePacks& owner, PackRecord record)
      : owner_(owner), record_(std::move(record)), crashes_(owner.crashes_) {
    ++owner_.quarantined_;
  }
  ~Pack() override {
    if (crashes_ != owner_.crashes_) {
      return;
    }
    --owner_.quarantined_;
    if (!installed_) {
      owner_.Tell("drop", record_.digest);
    }
    if (persisted_) {
      owner_.Release(record_.digest);
      if (!installed_) {
        owner_.named_.insert(record_.digest);
      }
    }
  }
  Pack(const Pack&) = delete;
  Pack& operator=(const Pack&) = delete;

  const PackRecord& record() const override { return record_; }

  Status Persist() override {
    if (owner_.persist_error_) {
      Error error = *std::exchange(owner_.persist_error_, std::nullopt);
      return error;
    }
    if (record_.inline_bytes.empty()) {
      QUORATE_TRY(owner_.AskGate());
    }
    owner_.Tell("persist", record_.digest);
    if (record_.inline_bytes.empty()) {
      owner_.staged_.insert(record_.digest);
      owner_.synced_.insert(record_.digest);
      owner_.holders_.insert(record_.digest);
      persisted_ = true;
    }
    return Ok();
  }

  Status Discard() override {
    if (crashes_ != owner_.crashes_ || !persisted_) {
      return Ok();
    }
    QUORATE_TRY(owner_.AskGate());
    persisted_ = false;
    owner_.Tell("discard", record_.digest);
    owner_.Release(record_.digest);
    if (!owner_.holders_.contains(record_.digest) && !owner_.named_.contains(record_.digest)) {
      owner_.staged_.erase(record_.digest);
      // Of an installed one nothing is taken back: after a crash its file is where it was moved to,
      // or still where it was moved from.
      if (!owner_.installed_.contains(record_.digest)) {
        owner_.synced_.erase(record_.digest);
      }
    }
    return Ok();
  }

  void MarkInstalled() { installed_ = true; }

 private:
  FakePacks& owner_;
  const PackRecord record_;
  const int crashes_;
  bool installed_ = false;
  bool persisted_ = false;  // Beside the log.
};

std::unique_ptr<QuarantinedPack> FakePacks::NewInline(std::string bytes) {
  return New(std::move(bytes), /*is_inline=*/true);
}

std::unique_ptr<QuarantinedPack> FakePacks::NewSideStored(std::string bytes) {
  return New(std::move(bytes), /*is_inline=*/false);
}

std::unique_ptr<QuarantinedPack> FakePacks::New(std::string bytes, bool is_inline) {
  PackRecord record;
  record.digest = Sha256(bytes);
  record.size = bytes.size();
  record.objects = 1;
  labels_[record.digest] = Printable(bytes, 16);
  if (is_inline) {
    record.inline_bytes = std::move(bytes);
  }
  return std::make_unique<Pack>(*this, std::move(record));
}

Status FakePacks::Install(const PackRecord& record, std::unique_ptr<QuarantinedPack> local) {
  if (install_error_) {
    Error error = *std::exchange(install_error_, std::nullopt);
    return error;
  }
  if (full_) {
    return Error(Code::kResourceExhausted, "no space left on device");
  }
  if (!record.inline_bytes.empty() && Sha256(record.inline_bytes) != record.digest) {
    return Error(Code::kCorruption, "inline pack does not have its digest");
  }
  QUORATE_TRY(AskGate());
  const bool again = installed_.contains(record.digest);
  const bool at_hand = !record.inline_bytes.empty() || staged_.contains(record.digest) || again;
  if (!at_hand && local == nullptr) {
    return Error(Code::kCorruption, "pack " + record.digest.ToHex() + " is missing");
  }
  if (local != nullptr) {
    QUORATE_CHECK(local->record().digest == record.digest);
    static_cast<Pack&>(*local).MarkInstalled();
  }
  Tell(local == nullptr ? "redo" : (again ? "install again" : "install"), record.digest);
  installed_.insert(record.digest);
  staged_.erase(record.digest);
  named_.erase(record.digest);
  return Ok();
}

Status FakePacks::DropStagedExcept(const std::vector<Sha256Digest>& named) {
  QUORATE_TRY(AskGate());
  const std::set<Sha256Digest> keep(named.begin(), named.end());
  named_.clear();
  for (const Sha256Digest& digest : std::set(staged_)) {
    if (keep.contains(digest)) {
      named_.insert(digest);
    } else if (!holders_.contains(digest)) {
      staged_.erase(digest);
      synced_.erase(digest);
    }
  }
  return Ok();
}

Status FakePacks::Sync() {
  QUORATE_TRY(AskGate());
  durable_ = installed_;
  return Ok();
}

Status FakePacks::AskGate() const {
  return gate_ == nullptr || gate_() ? Ok() : Status(Error(Code::kInternal, "the disk is gone"));
}

Status FakePacks::Receive(const PackRecord& record) {
  if (!installed_.contains(record.digest)) {
    QUORATE_TRY(AskGate());
    staged_.insert(record.digest);
    synced_.insert(record.digest);
    named_.insert(record.digest);
  }
  return Ok();
}

void FakePacks::Release(const Sha256Digest& digest) {
  holders_.erase(holders_.find(digest));
}

void FakePacks::Crash() {
  // A side-stored pack was synced before it was named: its lost move leaves it where it was.
  for (const Sha256Digest& digest : synced_) {
    if (!durable_.contains(digest)) {
      staged_.insert(digest);
    }
  }
  installed_ = durable_;
  named_.clear();
  holders_.clear();
  quarantined_ = 0;
  ++crashes_;
}

void FakePacks::Tell(std::string_view what, const Sha256Digest& digest) {
  const auto label = labels_.find(digest);
  events_.push_back(std::string(what) + " " +
                    (label == labels_.end() ? digest.ToHex() : label->second));
}

}  // namespace quorate::git
